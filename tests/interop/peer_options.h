/* peer_options.h - what the test programs of other libraries share: name=value options, sockets of 127.0.0.1, how they talk.
 *
 *   PROGRAM client|server PORT name=value...
 * Each prints "listening", then for each connection "ready VERSION SUITE" and "data N"; a client ends with the status 0 when all went
 * well.  Must never see anything of troth. */
#ifndef PEER_OPTIONS_H
#define PEER_OPTIONS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int option_count;
static char **option_words;

static inline const char *option(const char *name)
{
    size_t n = strlen(name);
    for (int i = 3; i < option_count; i++)
        if (!strncmp(option_words[i], name, n) && option_words[i][n] == '=')
            return option_words[i] + n + 1;
    return NULL;
}

static inline const char *option_or(const char *name, const char *otherwise)
{
    const char *value = option(name);
    return value ? value : otherwise;
}

static inline int option_number(const char *name, int otherwise)
{
    const char *value = option(name);
    return value ? atoi(value) : otherwise;
}

static inline bool option_is(const char *name, const char *value)
{
    return !strcmp(option_or(name, ""), value);
}

/* A connected socket, or one that listens. */
static inline int socket_for(bool server, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (server ? bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 5) : connect(fd, (struct sockaddr *)&at, sizeof at)) {
        perror("socket");
        exit(3);
    }
    return fd;
}

/* The client's side of the talk: a request, as many bytes as `bulk' says more, and all of it back; or, asked later for a certificate,
 * one word. */
static inline bool talk(void *s, int (*write)(void *, const void *, int), int (*read)(void *, void *, int))
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    int wanted = (int)sizeof request - 1 + option_number("bulk", 0), sent = 0, came = 0, n;
    char *p = calloc(1, (size_t)wanted), room[4096];
    memcpy(p, request, sizeof request - 1);
    while (sent < wanted && (n = write(s, p + sent, wanted - sent)) > 0)
        sent += n;
    free(p);
    if (option("late_auth"))
        wanted = sizeof "authenticated\n" - 1;
    while (came < wanted && (n = read(s, room, sizeof room)) > 0)
        came += n;
    printf("data %d\n", came);
    return came == wanted;
}

/* The server's: whatever came goes back. */
static inline void echo(void *s, int (*write)(void *, const void *, int), int (*read)(void *, void *, int))
{
    char room[4096];
    for (int n; (n = read(s, room, sizeof room)) > 0;)
        for (int sent = 0, m; sent < n && (m = write(s, room + sent, n - sent)) > 0;)
            sent += m;
}

#endif
