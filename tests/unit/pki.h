/* pki.h -- keys and certificates for tests. */
#ifndef SEVE_TEST_PKI_H
#define SEVE_TEST_PKI_H

#define PKI_NAMES "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1"

/* Paths of PEM files, as an administrator would have them. */
struct pki_files {
	char dir[64];
	char ca[96], other_ca[96];
	char cert[96], key[96],
		locked_key[96]; /* for PKI_NAMES, signed by ca; the key under a passphrase */
	char expired[96], other_key[96]; /* signed by ca too, an hour out of date */
};

extern struct pki_files pki;

/* Set-up and tear-down of a cmocka group. */
int pki_make(void **state);
int pki_remove(void **state);

#endif
