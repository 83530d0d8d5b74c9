"""What counts as a difference between logins of users who exist and of others."""

from tests.faults.login_timing import LoginTimes


def test_times_that_other_work_has_lengthened_are_alike() -> None:
    quiet, disturbed = [0.026, 0.027, 0.028, 0.029], [0.026, 0.028, 0.060, 0.070]
    assert LoginTimes(known=quiet * 10, unknown=disturbed * 10).alike


def test_logins_that_verify_nothing_are_told_apart_on_a_quiet_machine_and_on_a_busy_one() -> None:
    assert not LoginTimes(known=[0.026] * 40, unknown=[0.005] * 40).alike
    assert not LoginTimes(known=[0.120] * 40, unknown=[0.030, 0.040, 0.090, 0.110] * 10).alike
