/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <stdlib.h>

#define MS 1e6
#define SEC 1e9

static bool grow(struct flow *f)
{
	uint32_t room = f->room ? 2 * f->room : 4096;
	struct packet *p = reallocarray(f->packets, room, sizeof(*p));
	if (!p)
		return false;
	f->packets = p;
	int64_t *a = reallocarray(f->arrivals, room, sizeof(*a));
	if (!a)
		return false;
	f->arrivals = a;
	f->room = room;
	return true;
}

int64_t flow_sent(struct flow *f, int64_t at)
{
	if (f->sent == FLOW_PACKETS_MAX || (f->sent == f->room && !grow(f)))
		return -1;
	f->packets[f->sent] = (struct packet){.sent = at};
	return f->sent++;
}

void flow_refused(struct flow *f)
{
	f->packets[f->sent - 1].refused = true;
	f->refused++;
}

void flow_received(struct flow *f, uint32_t number, int64_t at)
{
	if (number >= f->sent)
		return;
	if (f->packets[number].received) {
		f->duplicates++;
		return;
	}
	f->packets[number].received = at;
	f->arrivals[f->received++] = at;
	if (number < f->highest)
		f->reordered++;
	else
		f->highest = number;
}

bool flow_complete(const struct flow *f)
{
	return f->received + f->refused == f->sent;
}

struct gap {
	int64_t length, at;
};

/* The longest silence at the receiver that ends in a window. The first packet ends none. */
static struct gap longest_gap(const struct flow *f, int64_t from, int64_t to)
{
	struct gap g = {0, 0};
	for (uint32_t i = 1; i < f->received; i++) {
		int64_t length = f->arrivals[i] - f->arrivals[i - 1];
		if (f->arrivals[i] >= from && f->arrivals[i] < to && length > g.length)
			g = (struct gap){length, f->arrivals[i - 1]};
	}
	return g;
}

static int64_t longest_pause(const struct flow *f)
{
	int64_t longest = 0;
	for (uint32_t i = 1; i < f->sent; i++) {
		int64_t length = f->packets[i].sent - f->packets[i - 1].sent;
		if (length > longest)
			longest = length;
	}
	return longest;
}

static uint32_t lost_between(const struct flow *f, int64_t from, int64_t to)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < f->sent; i++)
		n += !f->packets[i].received && f->packets[i].sent >= from && f->packets[i].sent < to;
	return n;
}

static const struct mark *mark_before(const struct mark *marks, int n, int64_t at)
{
	const struct mark *found = NULL;
	for (int i = 0; i < n; i++)
		if (marks[i].at <= at && (!found || marks[i].at >= found->at))
			found = &marks[i];
	return found;
}

static void print_lost(const struct flow *f, const struct mark *marks, int n_marks, FILE *out)
{
	const char *comma = "";
	for (uint32_t i = 0; i < f->sent; i++) {
		if (f->packets[i].received)
			continue;
		uint32_t last = i;
		while (last + 1 < f->sent && !f->packets[last + 1].received &&
		       f->packets[last + 1].refused == f->packets[i].refused)
			last++;
		const struct mark *m = mark_before(marks, n_marks, f->packets[i].sent);
		fprintf(out, "%s{\"first\":%u,\"last\":%u,\"sent\":%.6f,\"until\":%.6f,\"refused\":%s", comma,
			i, last, f->packets[i].sent / SEC, f->packets[last].sent / SEC,
			f->packets[i].refused ? "true" : "false");
		if (m)
			fprintf(out, ",\"mark\":\"%s\",\"ms\":%.3f", m->name,
				(f->packets[i].sent - m->at) / MS);
		fputs("}", out);
		comma = ",";
		i = last;
	}
}

static void print_marks(const struct flow *f, const struct mark *marks, int n_marks, FILE *out)
{
	for (int i = 0; i < n_marks; i++) {
		int64_t to = i + 1 < n_marks ? marks[i + 1].at : INT64_MAX;
		struct gap g = longest_gap(f, marks[i].at, to);
		fprintf(out, "%s{\"name\":\"%s\",\"at\":%.6f,\"gap_ms\":%.3f,\"gap_at\":%.6f,\"lost\":%u}",
			i ? "," : "", marks[i].name, marks[i].at / SEC, g.length / MS, g.at / SEC,
			lost_between(f, marks[i].at, to));
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void print_latency(const struct flow *f, FILE *out)
{
	int64_t *took = reallocarray(NULL, f->received + 1, sizeof(*took));
	uint32_t n = 0;
	for (uint32_t i = 0; took && i < f->sent; i++)
		if (f->packets[i].received)
			took[n++] = f->packets[i].received - f->packets[i].sent;
	if (n) {
		qsort(took, n, sizeof(*took), compare);
		int64_t middle = took[n / 2];
		fprintf(out, ",\"latency_ms\":{\"min\":%.3f,\"median\":%.3f,\"max\":%.3f}", took[0] / MS,
			middle / MS, took[n - 1] / MS);
	}
	free(took);
}

void flow_print(const struct flow *f, const struct mark *marks, int n_marks, FILE *out)
{
	struct gap g = longest_gap(f, INT64_MIN, INT64_MAX);
	fprintf(out, "{\"sent\":%u,\"received\":%u,\"refused\":%u,\"duplicates\":%u,\"reordered\":%u,",
		f->sent, f->received, f->refused, f->duplicates, f->reordered);
	fprintf(out, "\"gap_ms\":%.3f,\"gap_at\":%.6f,\"pause_ms\":%.3f", g.length / MS, g.at / SEC,
		longest_pause(f) / MS);
	print_latency(f, out);
	fputs(",\"lost\":[", out);
	print_lost(f, marks, n_marks, out);
	fputs("],\"marks\":[", out);
	print_marks(f, marks, n_marks, out);
	fputs("]}", out);
}

void flow_free(struct flow *f)
{
	free(f->packets);
	free(f->arrivals);
	*f = (struct flow){0};
}
