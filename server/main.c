/* main.c -- seved: reads the command line, runs the command, passes signals to the server. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "bootstrap.h"
#include "database.h"
#include "epoch.h"
#include "invite.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "pg/migrate.h"
#include "server.h"
#include "text.h"

enum { STATUS_FAILURE = 1, STATUS_CONFIG = 78, N_SIGNALS = 5 };

/* What a running server needs beside itself. */
struct daemon {
	const struct options *options;
	struct conf conf;
	struct database database;
	struct server *server;
	uv_loop_t loop;
	uv_signal_t signals[N_SIGNALS];
	bool draining;
	bool orphaned; /* the private PostgreSQL has ended by itself */
};

static int fail(const struct err *e)
{
	fprintf(stderr, "seved: %s\n", e->text);
	if (*e->remedy)
		fprintf(stderr, "seved: %s\n", e->remedy);
	return e->code == ERR_CONFIG || e->code == ERR_USAGE ? STATUS_CONFIG : STATUS_FAILURE;
}

static void set_log(const struct conf *conf)
{
	log_setup((enum log_level)config_number(conf, CONFIG_LOG_LEVEL),
		  (enum log_format)config_number(conf, CONFIG_LOG_FORMAT));
}

static int migrate(const struct conf *conf, const char *conninfo, struct err *e)
{
	if (!strcmp(config_text(conf, CONFIG_MIGRATE), "check"))
		return migrate_check(conninfo, e);
	return migrate_run(conninfo, NULL, e);
}

/* ---- signals ----------------------------------------------------------------------------------
 */

static void reload(struct daemon *d)
{
	struct conf fresh;
	struct err e = {0};
	int rc = config_load(&fresh, &d->options->source, &e);
	if (rc == 0) {
		rc = config_check_serve(&fresh, &e);
		if (rc == 0)
			rc = database_certificates(&d->database, &fresh, &e);
		if (rc == 0)
			rc = server_reload(d->server, &fresh, &e);
		conf_fini(&fresh);
	}
	if (rc < 0)
		log_event(LOG_ERROR, "reload_failed", "error=%s kept=%s", e.text,
			  "everything as it was");
	else
		log_event(LOG_INFO, "reloaded", "pid=%d", (int)getpid());
}

/* Whoever supervises us starts both again. */
static void check_database(struct daemon *d)
{
	if (d->orphaned || !database_has_died(&d->database))
		return;
	d->orphaned = true;
	log_event(LOG_ERROR, "embedded_died", "dir=%s", d->database.embedded.dir);
	server_halt(d->server);
}

static void on_signal(uv_signal_t *h, int number)
{
	struct daemon *d = h->data;
	const bool stops = number == SIGTERM || number == SIGINT;
	if (!d->server) {
		d->draining |= stops; /* still starting: open_service() finds it */
	} else if (number == SIGHUP) {
		reload(d);
	} else if (number == SIGUSR1) {
		server_dump(d->server);
	} else if (number == SIGCHLD) {
		check_database(d);
	} else if (d->draining) {
		log_event(LOG_WARN, "stopping", "signal=%d", number);
		server_halt(d->server);
	} else {
		d->draining = true;
		notify_send("STOPPING=1");
		server_drain(d->server);
	}
}

/* They do not keep the loop alive: it ends with the server. */
static int watch_signals(struct daemon *d, struct err *e)
{
	static const int numbers[N_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < N_SIGNALS; i++) {
		int rc = uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		if (rc == 0)
			rc = uv_signal_start(&d->signals[i], on_signal, numbers[i]);
		if (rc < 0)
			return err_set(e, ERR_IO, "signals: %s", uv_strerror(rc));
		uv_unref((uv_handle_t *)&d->signals[i]);
	}
	return 0;
}

static void close_one(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

/* ---- serving ----------------------------------------------------------------------------------
 */

/* As long as nobody has enrolled in a private database, DIR/invite lets the first one in. */
static int offer_invite(const struct daemon *d, struct err *e)
{
	char path[512], address[300];
	bool used = true;
	if (!d->database.started)
		return 0;
	snprintf(path, sizeof path, "%s/invite", d->database.embedded.dir);
	int rc = bootstrap_is_used(d->database.conninfo, &used, e);
	if (rc < 0 || used) {
		if (rc == 0)
			unlink(path); /* spent */
		return rc;
	}
	struct buf line;
	buf_init(&line, INVITE_LINE_MAX);
	server_address(d->server, address, sizeof address);
	rc = bootstrap_invite(d->database.conninfo, "admin", address,
			      config_text(&d->conf, CONFIG_TLS_CA), &line, e);
	if (rc == 0)
		rc = bootstrap_write(path, &line, e);
	if (rc == 0)
		log_event(LOG_INFO, "invite", "account=%s file=%s", "admin", path);
	buf_fini(&line);
	return rc;
}

static int open_service(struct daemon *d, struct err *e)
{
	int rc = database_open(&d->conf, &d->database, e);
	if (rc == 0)
		rc = database_certificates(&d->database, &d->conf, e);
	if (rc == 0)
		rc = migrate(&d->conf, d->database.conninfo, e);
	if (rc == 0)
		rc = watch_signals(d, e);
	if (rc == 0)
		rc = server_start(&d->loop, &d->conf, d->database.conninfo, &d->server, e);
	if (rc < 0)
		return rc;
	rc = offer_invite(d, e);
	if (rc == 0)
		rc = server_announce(d->server, e);
	if (rc < 0 || d->draining)
		server_halt(d->server);
	return rc;
}

static int serve(const struct options *o, struct conf *conf)
{
	struct daemon d = {.options = o, .conf = *conf};
	struct err e = {0};
	*conf = (struct conf){0}; /* it is the daemon's now */
	uv_loop_init(&d.loop);
	int rc = config_check_serve(&d.conf, &e);
	if (rc == 0)
		rc = open_service(&d, &e);
	if (rc == 0)
		notify_send("READY=1");
	if (d.server)
		uv_run(&d.loop, UV_RUN_DEFAULT);
	uv_walk(&d.loop, close_one, NULL);
	uv_run(&d.loop, UV_RUN_DEFAULT);
	server_free(d.server);
	uv_loop_close(&d.loop);
	database_close(&d.database);
	conf_fini(&d.conf);
	if (rc == 0 && d.orphaned) {
		rc = err_set(&e, ERR_UNAVAILABLE, "the private PostgreSQL has ended by itself");
		err_remedy(&e,
			   "its log tells why: postgres.log in the folder; then start seved again");
	}
	if (rc == 0)
		log_event(LOG_INFO, "stopped", "pid=%d", (int)getpid());
	return rc < 0 ? fail(&e) : 0;
}

/* ---- commands ---------------------------------------------------------------------------------
 */

/* Where the server is, or will be, for the line of an invite. */
static int find_address(const struct conf *conf, char *out, size_t size, struct err *e)
{
	int64_t port = config_number(conf, CONFIG_LISTEN_PORT);
	if (*config_text(conf, CONFIG_ADVERTISE)) {
		snprintf(out, size, "%s", config_text(conf, CONFIG_ADVERTISE));
		return 0;
	}
	const char *file = config_text(conf, CONFIG_PORT_FILE);
	char text[16] = "";
	FILE *f = port == 0 && *file ? fopen(file, "re") : NULL;
	if (f) {
		if (fgets(text, sizeof text, f))
			text[strcspn(text, "\n")] = '\0';
		fclose(f);
	}
	if (port == 0 && text_to_int(text, 1, 65535, &port, NULL) < 0) {
		err_set(e, ERR_CONFIG, "the port that the server listens on is not known here");
		return err_remedy(e, "set advertise to the host:port that clients use");
	}
	snprintf(out, size, "localhost:%lld", (long long)port);
	return 0;
}

static int show_invite(const struct options *o, const struct buf *line, struct err *e)
{
	if (o->output && strcmp(o->output, "-") != 0)
		return bootstrap_write(o->output, line, e);
	const struct span s = buf_span(line);
	if (printf("%.*s\n", (int)s.len, (const char *)s.at) < 0 || fflush(stdout) != 0)
		return err_set(e, ERR_IO, "standard output: %s", strerror(errno));
	return 0;
}

static int make_invite(const struct options *o, struct conf *conf, const struct database *db,
		       struct err *e)
{
	char address[300];
	struct buf line;
	int rc = database_certificates(db, conf, e);
	if (rc == 0)
		rc = find_address(conf, address, sizeof address, e);
	if (rc == 0)
		rc = migrate(conf, db->conninfo, e);
	if (rc < 0)
		return rc;
	buf_init(&line, INVITE_LINE_MAX);
	rc = bootstrap_invite(db->conninfo, o->account ? o->account : "admin", address,
			      config_text(conf, CONFIG_TLS_CA), &line, e);
	if (rc == 0)
		rc = show_invite(o, &line, e);
	buf_fini(&line);
	return rc;
}

static int bootstrap(const struct options *o, struct conf *conf)
{
	struct database db = {0};
	struct err e = {0};
	int rc = config_check(conf, &e);
	if (rc == 0 && !o->output && !isatty(STDOUT_FILENO)) {
		err_set(&e, ERR_USAGE, "standard output is no terminal, and an invite is a secret");
		rc = err_remedy(&e, "--output FILE writes it to a file of mode 0600, --output - "
				    "wherever you say");
	}
	if (rc == 0)
		rc = database_visit(conf, &db, &e);
	if (rc == 0)
		rc = make_invite(o, conf, &db, &e);
	database_close(&db);
	return rc < 0 ? fail(&e) : 0;
}

static int migrate_command(const struct options *o, struct conf *conf)
{
	struct database db = {0};
	struct err e = {0};
	unsigned applied = 0;
	int rc = config_check(conf, &e);
	if (rc == 0)
		rc = database_visit(conf, &db, &e);
	if (rc == 0)
		rc = o->check ? migrate_check(db.conninfo, &e)
			      : migrate_run(db.conninfo, &applied, &e);
	database_close(&db);
	if (rc < 0)
		return fail(&e);
	printf("schema version %u, %u applied now\n", migrate_version(), applied);
	return 0;
}

static int renew_epoch(struct conf *conf)
{
	struct database db = {0};
	struct err e = {0};
	uint64_t epoch = 0;
	int rc = config_check(conf, &e);
	if (rc == 0)
		rc = database_visit(conf, &db, &e);
	if (rc == 0)
		rc = migrate_check(db.conninfo, &e);
	if (rc == 0)
		rc = epoch_renew(db.conninfo, &epoch, &e);
	database_close(&db);
	if (rc < 0)
		return fail(&e);
	printf("epoch %016llx: replicas will verify themselves\n", (unsigned long long)epoch);
	return 0;
}

static int check_config(const struct conf *conf)
{
	struct err e = {0};
	if (config_check_serve(conf, &e) < 0)
		return fail(&e);
	if (*config_text(conf, CONFIG_TLS_CERT)) {
		SSL_CTX *tls;
		if (tls_ctx_server(config_text(conf, CONFIG_TLS_CERT),
				   config_text(conf, CONFIG_TLS_KEY), &tls, &e) < 0) {
			fail(&e);
			return STATUS_CONFIG;
		}
		tls_ctx_free(tls);
	}
	puts("the configuration is fine");
	return 0;
}

static int print_config(struct conf *conf)
{
	struct err e = {0};
	return config_print(conf, stdout, &e) < 0 ? fail(&e) : 0;
}

static int run(const struct options *o, struct conf *conf)
{
	switch (o->command) {
	case COMMAND_SERVE:
		return serve(o, conf);
	case COMMAND_BOOTSTRAP:
		return bootstrap(o, conf);
	case COMMAND_MIGRATE:
		return migrate_command(o, conf);
	case COMMAND_RENEW_EPOCH:
		return renew_epoch(conf);
	case COMMAND_CHECK_CONFIG:
		return check_config(conf);
	case COMMAND_PRINT_CONFIG:
		return print_config(conf);
	case COMMAND_VERSION:
		puts("seved " SEVE_VERSION_TEXT);
		return 0;
	case COMMAND_HELP:
		options_help(stdout);
		return 0;
	}
	return STATUS_FAILURE;
}

int main(int argc, char **argv)
{
	struct options o;
	struct conf conf = {0};
	struct err e = {0};
	if (options_read(&o, argc, (const char **)argv, &e) < 0)
		return fail(&e);
	int status = 0;
	const bool settings = o.command != COMMAND_VERSION && o.command != COMMAND_HELP;
	if (settings && config_load(&conf, &o.source, &e) < 0) {
		status = fail(&e);
	} else {
		if (settings)
			set_log(&conf);
		status = run(&o, &conf);
	}
	if (settings)
		conf_fini(&conf);
	options_fini(&o);
	return status;
}
