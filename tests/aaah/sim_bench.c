/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A flood of registrations: one thread keeps a number of AMRs under way and counts the answers.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/aaah/sim.h"

static sem_t room;
static atomic_uint accepted, refused;

static void answered(void *data, struct msg **answer)
{
	struct dm_ama ama;
	char err[128];

	if (dm_ama_parse(*answer, &ama, err, sizeof(err)) == 0 && ama.result == DM_SUCCESS)
		atomic_fetch_add(&accepted, 1);
	else
		atomic_fetch_add(&refused, 1);
	dm_ama_wipe(&ama);
	fd_msg_free(*answer);
	*answer = NULL;
	sem_post(&room);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool wait_room(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 15;
	while (sem_timedwait(&room, &ts)) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

static bool send_one(json_t *cmd, struct dm_amr *amr, unsigned user)
{
	struct msg *m = NULL;
	char nai[64];

	snprintf(nai, sizeof(nai), "u%u@home.test", user);
	json_object_set_new(cmd, "nai", json_string(nai));
	return sim_amr_make(cmd, amr) && dm_amr_build(amr, &m) == 0 && fd_msg_send(&m, answered, NULL) == 0;
}

void sim_bench(const json_t *cmd)
{
	unsigned n = (unsigned)json_integer_value(json_object_get(cmd, "n"));
	unsigned first = (unsigned)json_integer_value(json_object_get(cmd, "first"));
	unsigned outstanding = (unsigned)json_integer_value(json_object_get(cmd, "outstanding"));
	struct dm_amr *amr = malloc(sizeof(*amr));
	json_t *c = json_deep_copy(cmd);
	double start = seconds();
	bool ok = amr && c;

	sem_init(&room, 0, outstanding);
	atomic_store(&accepted, 0);
	atomic_store(&refused, 0);
	for (unsigned i = 0; i < n && ok; i++)
		ok = wait_room() && send_one(c, amr, first + i);
	for (unsigned i = 0; i < outstanding && ok; i++)
		ok = wait_room();
	sim_say(json_pack("{ss sb si si sf}", "event", "bench", "complete", ok, "accepted", (int)accepted,
			  "refused", (int)refused, "seconds", seconds() - start));
	json_decref(c);
	free(amr);
}
