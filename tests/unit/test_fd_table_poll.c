/* The descriptor table over poll. */
#define MODEL TN_POLL
#include "unit/test_fd_table.c"
