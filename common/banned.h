/* banned.h -- forced into every translation unit of ours: these functions fail to compile.
 * The system's own headers are taken in first, since they declare them. */
#ifndef SEVE_BANNED_H
#define SEVE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gmtime localtime ctime asctime atoi atol  \
	atof gets

#endif
