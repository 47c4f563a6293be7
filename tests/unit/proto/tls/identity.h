/* tests/unit/proto/tls/identity.h - throw-away certificates. Apart from tls_pair.h, since OpenSSL's headers and base/err.h
 * can't be in one file (both define ERR_STATE). */
#pragma once

/* PEM texts of a fresh P-256 key and a certificate signed by itself; free() both. `password` locks the key; NULL: none. */
void make_identity(char **cert, char **key, const char *password);
