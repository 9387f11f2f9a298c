/* The descriptor table over select, and what select cannot be asked about. */
#define MODEL TN_SELECT
#include "unit/test_fd_table.c"

/* Takes all numbers that select can be asked about. */
static void use_up_numbers(int *first_used)
{
    struct rlimit limit;
    int fd;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > TN_SELECT_FDS + 10);
    *first_used = dup(0);
    do {
        fd = dup(0);
        REQUIRE(fd >= 0);
    } while (fd < TN_SELECT_FDS - 1);
}

TEST(select_refuses_a_listener_or_a_watch_beyond_its_numbers)
{
    int first, pipes[2], given;

    serve(4);
    use_up_numbers(&first);
    given = listener();
    CHECK(given >= TN_SELECT_FDS);
    CHECK_EQ(tn_fd_table_listen(&table, given), TN_EFULL);
    REQUIRE(pipe(pipes) == 0);
    CHECK_EQ(tn_fd_table_watch(&table, pipes[0]), TN_EFULL);
    CHECK_EQ(table.watch[0], -1);
    tn_fd_table_fini(&table);
    CHECK_EQ(fcntl(given, F_GETFD), 0);
    CHECK_EQ(fcntl(pipes[0], F_GETFD), 0);
}

TEST(a_connection_beyond_the_numbers_of_select_is_refused_and_the_table_goes_on)
{
    struct sockaddr_in place;
    int first, refused, next;
    int32_t s;
    char byte;

    serve(4);
    place = bound;
    use_up_numbers(&first);
    refused = client();
    CHECK_EQ(accepted(), TN_EFILES);
    CHECK_EQ(table.slots.live, 0);
    CHECK(read(refused, &byte, 1) <= 0); /* told at once, not left to wait */
    bound = place;
    next = client();
    close(first);
    s = accepted();
    REQUIRE(s >= 0);
    CHECK_EQ(table.fd[s], first);
    write_to(next);
    CHECK_EQ(tn_fd_table_wait(&table, SOON_MS, 0), 1);
    CHECK_EQ(tn_fd_table_next(&table), s);
}
