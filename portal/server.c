/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "portal/crowd.h"
#include "portal/limit.h"
#include "portal/tls.h"

#define IDLE_S 10			/* a connection on which nothing moves */
#define HEADERS_MAX (32u * 1024)	/* memory of a connection: request line, headers */
#define DISCARD_MAX (8 * FORM_BODY_MAX) /* of a body that is too long before the connection is cut */
#define ENDING(max) ((max) / 8 + 8) /* more than that many connections: those that were shut and still end */

struct server {
	const struct web *web;
	struct MHD_Daemon *mhd;
	pthread_mutex_t lock; /* of limit */
	struct limit *limit;
	struct crowd *crowd;
	int fd;
};

/* A request while its body comes. */
struct exchange {
	char body[FORM_BODY_MAX + 1];
	size_t len, seen;
	char address[CLIENT_TEXT];
	bool over; /* over the limit of its address */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* --- reply --- */

/* No script, no frame, nothing from elsewhere, nothing kept, no address told. */
static const char *const fixed_headers[][2] = {
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
	 "base-uri 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

static void add_headers(const struct server *s, struct MHD_Response *m, const struct web_reply *r)
{
	char seconds[16];

	for (size_t i = 0; i < sizeof(fixed_headers) / sizeof(fixed_headers[0]); i++)
		MHD_add_response_header(m, fixed_headers[i][0], fixed_headers[i][1]);
	MHD_add_response_header(m, "Cache-Control", r->keep ? "max-age=3600" : "no-store");
	if (s->web->conf->secure)
		MHD_add_response_header(m, "Strict-Transport-Security", "max-age=31536000");
	if (r->type)
		MHD_add_response_header(m, "Content-Type", r->type);
	if (r->location)
		MHD_add_response_header(m, "Location", r->location);
	if (r->allow && r->status == 405)
		MHD_add_response_header(m, "Allow", r->allow);
	if (r->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%d", r->retry_after_s);
		MHD_add_response_header(m, "Retry-After", seconds);
	}
	for (size_t i = 0; i < 2; i++) {
		if (r->cookie[i][0])
			MHD_add_response_header(m, "Set-Cookie", r->cookie[i]);
	}
}

static enum MHD_Result send_reply(const struct server *s, struct MHD_Connection *c, struct web_reply *r)
{
	struct MHD_Response *m =
		MHD_create_response_from_buffer(r->body.len, r->body.text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok = MHD_NO;

	if (m) {
		add_headers(s, m, r);
		ok = MHD_queue_response(c, r->status, m);
		MHD_destroy_response(m);
	}
	web_reply_wipe(r);
	return ok;
}

/* --- request --- */

static void find_address(const struct server *s, struct MHD_Connection *c, char out[CLIENT_TEXT])
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const char *proxy = s->web->conf->proxy;
	char via[CLIENT_TEXT];

	client_text(i ? i->client_addr : NULL, out);
	if (proxy[0] && client_same(out, proxy) && client_forwarded(header(c, "X-Forwarded-For"), via))
		memcpy(out, via, CLIENT_TEXT);
}

static struct exchange *exchange_new(struct server *s, struct MHD_Connection *c)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	find_address(s, c, x->address);
	pthread_mutex_lock(&s->lock);
	x->over = limit_take(s->limit, x->address, now_ms()) != 0;
	pthread_mutex_unlock(&s->lock);
	return x;
}

/* false: so much that the connection is cut. */
static bool body_take(struct exchange *x, const char *data, size_t n)
{
	size_t room =
		sizeof(x->body) - x->len; /* one byte more than a form may have: it is seen to be too long */

	x->seen += n;
	if (n > room)
		n = room;
	memcpy(x->body + x->len, data, n);
	x->len += n;
	return x->seen <= DISCARD_MAX;
}

static enum MHD_Result answer(struct server *s, struct MHD_Connection *c, const char *method, const char *url,
			      struct exchange *x)
{
	const char *done = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "done");
	struct web_request q = {.method = method,
				.path = url,
				.done = done ? done : "",
				.cookies = header(c, "Cookie"),
				.content_type = header(c, "Content-Type"),
				.fetch_site = header(c, "Sec-Fetch-Site"),
				.body = x->body,
				.body_len = x->len};
	struct web_reply r = {0};

	memcpy(q.address, x->address, sizeof(q.address));
	if (x->over) {
		web_refused(&q, "rate", "");
		web_say(s->web, &r, 429, "Too many requests", "Wait a few seconds and try again.");
		r.retry_after_s = 5;
	} else {
		web_answer(s->web, &q, &r);
	}
	return send_reply(s, c, &r);
}

static struct guest *guest_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static void on_connection(void *user, struct MHD_Connection *c, void **guest,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *s = user;
	const union MHD_ConnectionInfo *fd, *from;
	char address[CLIENT_TEXT];

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) { /* its socket is closed after this */
		crowd_leave(s->crowd, *guest);
		*guest = NULL;
		return;
	}
	fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	from = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	client_text(from ? from->client_addr : NULL, address);
	*guest = fd ? crowd_enter(s->crowd, fd->connect_fd, address) : NULL;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *c, const char *url, const char *method,
				  const char *version, const char *data, size_t *size, void **state)
{
	struct server *s = user;
	struct exchange *x = *state;
	enum MHD_Result ok;

	if (!x) {
		*state = x = exchange_new(s, c);
		return x ? MHD_YES : MHD_NO;
	}
	if (*size) {
		if (!body_take(x, data, *size)) {
			counter_inc("web.refused.endless");
			log_notice("web", "%s: %s: refused: endless body", x->address, method);
			return MHD_NO;
		}
		*size = 0;
		return MHD_YES;
	}
	crowd_busy(s->crowd, guest_of(c), true);
	ok = answer(s, c, method, url, x);
	crowd_busy(s->crowd, guest_of(c), false);
	return ok;
}

static void on_completed(void *user, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	if (*state)
		crypto_wipe(*state, sizeof(struct exchange));
	free(*state);
	*state = NULL;
}

static void on_log(void *user, const char *fmt, va_list ap)
{
	log_v(LOG_LVL_DEBUG, "http", fmt, ap);
}

/* --- start and stop --- */

static int listen_on(const struct web_config *conf, char *err, size_t err_len)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *a = NULL;
	char port[8];
	int fd = -1, on = 1, rc;

	snprintf(port, sizeof(port), "%u", conf->port);
	rc = getaddrinfo(conf->listen, port, &hints, &a);
	if (!rc)
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, SOMAXCONN))) {
		rc = errno;
		close(fd);
		fd = -1;
		errno = rc;
	}
	if (fd < 0)
		snprintf(err, err_len, "%s port %u: %s", conf->listen, conf->port, strerror(errno));
	if (a)
		freeaddrinfo(a);
	return fd;
}

struct server *server_open(const struct web *w, char *err, size_t err_len)
{
	struct server *s = calloc(1, sizeof(*s));

	snprintf(err, err_len, "out of memory");
	if (!s)
		return NULL;
	s->web = w;
	s->fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	s->limit = limit_new(w->conf->requests_per_second, w->conf->requests_burst);
	s->crowd = crowd_new(w->conf->connections_max);
	if (s->limit && s->crowd &&
	    (!w->conf->tls || !tls_load(w->conf->tls_certificate, w->conf->tls_key, err, err_len)))
		s->fd = listen_on(w->conf, err, err_len);
	if (s->fd >= 0)
		return s;
	server_close(s);
	return NULL;
}

int server_start(struct server *s, char *err, size_t err_len)
{
	const struct web_config *c = s->web->conf;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC |
			 MHD_USE_POLL | MHD_USE_ERROR_LOG | (c->tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)tls_give},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
		{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	s->mhd = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, s->fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)(c->connections_max + ENDING(c->connections_max)),
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, c->proxy[0] ? 0u : (unsigned)c->connections_per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HEADERS_MAX, MHD_OPTION_THREAD_STACK_SIZE, (size_t)(256 * 1024),
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, c->tls ? tls : none, MHD_OPTION_END);
	if (s->mhd)
		return 0;
	snprintf(err, err_len, "libmicrohttpd does not start");
	return -1;
}

int server_reload(const struct server *s, char *err, size_t err_len)
{
	const struct web_config *c = s->web->conf;

	if (!c->tls)
		return 0;
	if (tls_load(c->tls_certificate, c->tls_key, err, err_len)) {
		counter_inc("web.tls.kept");
		return -1;
	}
	counter_inc("web.tls.renewed");
	return 1;
}

uint16_t server_port(const struct server *s)
{
	struct sockaddr_in6 a = {0};
	socklen_t len = sizeof(a);

	/* The port is in the same place in both kinds of addresses. */
	return getsockname(s->fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin6_port);
}

void server_close(struct server *s)
{
	if (!s)
		return;
	if (s->mhd)
		MHD_stop_daemon(s->mhd); /* closes fd */
	else if (s->fd >= 0)
		close(s->fd);
	tls_forget();
	crowd_free(s->crowd);
	limit_free(s->limit);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
