/* tls_err.c -- what OpenSSL's reasons mean here, and what to do about them. */
#include "tls_err.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#define UPDATE  "use a program that speaks TLS 1.3 (OpenSSL 1.1.1 or later)"
#define ADDRESS "check address and port: here seve/1 is spoken, inside TLS 1.3"

static const struct advice {
	int reason;
	const char *text;
	const char *remedy;
} reasons[] = {
	{SSL_R_HTTP_REQUEST, "a plain HTTP request arrived where TLS is spoken", ADDRESS},
	{SSL_R_HTTPS_PROXY_REQUEST, "an HTTP proxy request arrived where TLS is spoken", ADDRESS},
	{SSL_R_WRONG_VERSION_NUMBER, "what arrived is not TLS", ADDRESS},
	{SSL_R_UNSUPPORTED_PROTOCOL, "the other side offers an older TLS; Seve needs TLS 1.3",
	 UPDATE},
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
	 "the other side refuses the version of TLS; Seve needs TLS 1.3", UPDATE},
	{SSL_R_NO_APPLICATION_PROTOCOL, "the client does not offer the protocol seve/1 (ALPN)",
	 "connect with seve or libseve"},
	{SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL,
	 "the server does not speak the protocol seve/1 (ALPN)", "check address and port"},
	{SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the client does not know who signed our certificate",
	 "give it the CA's certificate, or an invite made by this server"},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the client says that our certificate has expired",
	 "renew the certificate, or set the client's clock right"},
	{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the client refuses our certificate",
	 "the name it connects to must stand in the certificate"},
	{SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the client refuses our certificate",
	 "the name it connects to must stand in the certificate"},
	{SSL_R_NO_SHARED_CIPHER, "no cipher of TLS 1.3 is known to both sides", UPDATE},
	{SSL_R_NO_SUITABLE_KEY_SHARE, "no key exchange is known to both sides",
	 "X25519 or P-256 must be enabled"},
	{SSL_R_NO_SUITABLE_GROUPS, "no key exchange is known to both sides",
	 "X25519 or P-256 must be enabled"},
	{SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "the bytes were changed on the way",
	 "try again; if it stays, something between the two sides alters the connection"},
};

#define CA_REMEDY "give the CA's certificate that the server's administrator handed out"

static const struct advice verdicts[] = {
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	 "the server's certificate is signed by an unknown CA", CA_REMEDY},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	 "the server's certificate is signed by an unknown CA", CA_REMEDY},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
	 "the server's certificate is signed by an unknown CA", CA_REMEDY},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
	 "the server's certificate is signed by itself and not known here", CA_REMEDY},
	{X509_V_ERR_CERT_HAS_EXPIRED, "the server's certificate has expired",
	 "the server's administrator must renew it; check this machine's clock too"},
	{X509_V_ERR_CERT_NOT_YET_VALID, "the server's certificate is not valid yet",
	 "check this machine's clock"},
	{X509_V_ERR_HOSTNAME_MISMATCH, "the server's certificate is for another name",
	 "connect to a name that stands in the certificate"},
	{X509_V_ERR_IP_ADDRESS_MISMATCH, "the server's certificate is for another address",
	 "connect to a name or address that stands in the certificate"},
};

#define FIND(table, number) find(table, sizeof(table) / sizeof *(table), number)

static const struct advice *find(const struct advice *a, size_t n, long reason)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].reason == reason)
			return &a[i];
	return NULL;
}

static const char *reason_of(unsigned long code)
{
	const char *text = ERR_reason_error_string(code);
	return text ? text : "unknown reason";
}

const char *tls_err_reason(void)
{
	return reason_of(ERR_peek_error());
}

int tls_err_set(const SSL *ssl, struct err *e)
{
	const unsigned long code = ERR_peek_error();
	const int reason = ERR_GET_REASON(code);
	if (reason == ERR_R_MALLOC_FAILURE)
		return err_set(e, ERR_NOMEM, "TLS");
	const char *why = reason_of(code);
	const struct advice *a = ERR_GET_LIB(code) == ERR_LIB_SSL ? FIND(reasons, reason) : NULL;
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		const long verdict = SSL_get_verify_result(ssl);
		a = FIND(verdicts, verdict);
		why = X509_verify_cert_error_string(verdict);
	}
	if (!a)
		return err_set(e, ERR_TLS, "TLS: %s", why);
	err_set(e, ERR_TLS, "%s (%s)", a->text, why);
	return err_remedy(e, "%s", a->remedy);
}
