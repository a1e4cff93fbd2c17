/* cmd_batch.h -- imports that were kept, for other commands.  Functions return an exit status and
 * have said what went wrong. */
#ifndef SEVE_CLI_CMD_BATCH_H
#define SEVE_CLI_CMD_BATCH_H

#include <stdint.h>

struct cli;

/* Takes a batch back and tells what became of it. */
int batch_take_back(struct cli *c, uint32_t territory, const char *batch);

#endif
