# shellcheck shell=bash
# The vault, and its secrets: made here, written once, never read back and never shown.

VAULT_API=2023-07-01

make_key_vault() {
    VAULT_ID=$GROUP_ID/providers/Microsoft.KeyVault/vaults/$VAULT
    ensure "Key Vault $VAULT" "$VAULT_ID" "$VAULT_API" create_vault
    if secret_stands jwt-secret-key; then
        say "stands      secret jwt-secret-key"
    else
        change "secret jwt-secret-key" make_jwt_secret
    fi
}

create_vault() {
    write_az keyvault create --name "$VAULT" --resource-group "$RESOURCE_GROUP" --location "$LOCATION" \
        --enable-rbac-authorization true --enable-purge-protection true --retention-days 90
}

make_jwt_secret() {
    random_password >"$SCRATCH/jwt-secret-key"
    write_secret jwt-secret-key
}

secret_stands() {
    exists "$VAULT_ID/secrets/$1" "$VAULT_API"
}

# 256 bits; with a capital and a hyphen, as MySQL on Azure asks for three kinds of characters; nothing that means
# something in JSON, SQL or a URL.
random_password() {
    printf 'A-'
    od -An -tx1 -N32 /dev/urandom | tr -d ' \n'
}

# write_secret NAME: the content of the scratch file of that name. By Resource Manager, which can write secrets and
# not read them: whoever sets up needs no role on the vault's secrets, and gets none.
write_secret() {
    printf '{"properties": {"value": "%s", "contentType": "text/plain"}}' "$(<"$SCRATCH/$1")" >"$SCRATCH/$1.json"
    write_az resource create --id "$VAULT_ID/secrets/$1" --api-version "$VAULT_API" --is-full-object \
        --properties "@$SCRATCH/$1.json"
    rm "$SCRATCH/$1" "$SCRATCH/$1.json"
}
