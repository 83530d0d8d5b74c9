"""What the shop sells, in words: categories, their subcategories, what is in those and at which prices."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subcategory:
    """A shelf: the things on it, and their least and greatest usual price."""

    name: str
    things: tuple[str, ...]
    prices: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Category:
    """A department. `pitch` ends its descriptions."""

    name: str
    pitch: str
    subcategories: tuple[Subcategory, ...]


STYLES = (
    "Compact", "Classic", "Premium", "Essential", "Lightweight", "Heavy-Duty", "Everyday", "Eco-Friendly",
    "Foldable", "Deluxe", "Slim", "Modular", "Vintage", "Advanced", "Travel", "Junior",
)  # fmt: skip

SENTENCES = (
    "Chosen by our buyers.", "Made to last.", "Ready to use out of the box.",
    "A favourite since its first year.",
    "Designed with care.", "Tested by people who use it every day.", "Delivered in recyclable packaging.",
    "Two years of warranty.", "Good value at any time of the year.", "As seen in our stores.",
    "Easy to clean and to store.", "Now with better materials.", "A small thing that makes a difference.",
    "Comes with a printed guide.", "Made in small series.", "Suits beginners and professionals alike.",
)  # fmt: skip

CATEGORIES = (
    Category(
        "Electronics",
        "Engineered for daily use.",
        (
            Subcategory("Audio", ("Headphones", "Soundbar", "Turntable", "Radio", "Earbuds"), (19, 600)),
            Subcategory("Computing", ("Laptop", "Keyboard", "Monitor", "Docking Station"), (25, 2_400)),
            Subcategory("Photography", ("Camera", "Tripod", "Lens", "Flash", "Camera Bag"), (20, 1_900)),
            Subcategory("Smart Home", ("Thermostat", "Light Bulb", "Door Sensor", "Plug"), (9, 250)),
        ),
    ),
    Category(
        "Books",
        "Expand your knowledge and imagination.",
        (
            Subcategory("Children's Books", ("Picture Book", "Fairy Tales", "Puzzle Book"), (4, 30)),
            Subcategory("Travel Books", ("City Guide", "Atlas", "Phrase Book", "Hiking Guide"), (8, 45)),
            Subcategory("Cookbooks", ("Bread Book", "Soup Book", "Grill Book"), (10, 50)),
        ),
    ),
    Category(
        "Sports",
        "Perfect for athletes and fitness enthusiasts.",
        (
            Subcategory("Fitness", ("Treadmill", "Dumbbell Set", "Yoga Mat", "Rowing Machine"), (12, 1_800)),
            Subcategory("Cycling", ("Bicycle", "Helmet", "Pump", "Saddle", "Bicycle Light"), (8, 1_700)),
            Subcategory("Camping", ("Tent", "Sleeping Bag", "Stove", "Lantern"), (10, 480)),
            Subcategory("Swimming", ("Goggles", "Swimsuit", "Kickboard"), (6, 90)),
        ),
    ),
    Category(
        "Home & Kitchen",
        "Enhance your living space.",
        (
            Subcategory("Cookware", ("Frying Pan", "Saucepan", "Casserole", "Wok"), (12, 320)),
            Subcategory("Furniture", ("Chair", "Desk", "Bookshelf", "Sofa", "Bed Frame"), (39, 2_200)),
            Subcategory("Bedding", ("Pillow", "Duvet", "Sheet Set", "Mattress"), (9, 900)),
            Subcategory("Lighting", ("Desk Lamp", "Floor Lamp", "Pendant Light"), (14, 380)),
        ),
    ),
    Category(
        "Clothing",
        "Made to be worn often.",
        (
            Subcategory("Shoes", ("Sneakers", "Boots", "Sandals", "Running Shoes"), (20, 260)),
            Subcategory("Outerwear", ("Raincoat", "Parka", "Denim Jacket", "Vest"), (30, 540)),
            Subcategory("Basics", ("T-Shirt", "Socks", "Underwear Set", "Leggings"), (5, 70)),
        ),
    ),
    Category(
        "Automotive",
        "Keep your vehicle running smoothly.",
        (
            Subcategory("Maintenance", ("Spark Plugs", "Oil Filter", "Wiper Blades", "Brake Pads"), (6, 180)),
            Subcategory("Car Electronics", ("Dashcam", "Car Charger", "Car Radio"), (15, 420)),
        ),
    ),
    Category(
        "Toys & Games",
        "For an evening without a screen.",
        (
            Subcategory("Board Games", ("Chess Set", "Card Game", "Strategy Game", "Dice Game"), (8, 120)),
            Subcategory("Construction", ("Building Blocks", "Marble Run", "Model Train"), (12, 350)),
            Subcategory("Outdoor Play", ("Kite", "Swing", "Sandpit", "Trampoline"), (9, 520)),
        ),
    ),
    Category(
        "Garden",
        "From the first frost to the last harvest.",
        (
            Subcategory("Tools", ("Spade", "Rake", "Pruning Shears", "Lawn Mower"), (10, 750)),
            Subcategory("Plants", ("Seed Mix", "Bulbs", "Herb Set", "Fruit Tree"), (3, 110)),
        ),
    ),
    Category(
        "Beauty",
        "Gentle, and tested.",
        (
            Subcategory("Skin Care", ("Face Cream", "Sunscreen", "Cleanser", "Serum"), (5, 130)),
            Subcategory("Hair Care", ("Shampoo", "Hair Dryer", "Brush Set"), (4, 210)),
        ),
    ),
    Category(
        "Music",
        "High-quality music products.",
        (
            Subcategory("Instruments", ("Guitar", "Keyboard Piano", "Violin", "Ukulele"), (35, 2_300)),
            Subcategory("Records", ("Vinyl Record", "Box Set", "Compact Disc"), (9, 95)),
        ),
    ),
)  # fmt: skip
