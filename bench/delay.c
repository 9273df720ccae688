/*
 * A wire between two network namespaces that takes its time: delay NEAR FAR
 *
 * NEAR and FAR are descriptors of two network namespaces. Each gets a tun device, DEVICE, and every packet that goes
 * into one comes out of the other later, in order, none lost: so a TCP handshake is delayed as well as what follows
 * it, in both directions. Orders are lines on standard input, each answered by one on standard output:
 *
 *     N          from now on a packet takes N microseconds, one way                 "ok"
 *     report     since the last report: how many packets; how much later than meant they came out, in microseconds, on
 *                average and at worst                                                "PACKETS MEAN WORST"
 *
 * It begins with the line "ready", and ends with its input.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "slow"

/* A tun device's largest packet, unless told otherwise. */
#define PACKET_MOST 1500

/* Packets under way in one direction: 64 logins have a dozen each at most. */
#define UNDER_WAY_MOST 8192

#define SECOND 1000000000LL

/* A processor that sleeps takes some 0.1 ms to wake, so the last moments before a packet is due are spent awake. */
#define AWAKE 250000

struct packet {
    int64_t due;
    size_t length;
    unsigned char bytes[PACKET_MOST];
};

/* One direction. The packets are a ring, in the order in which they came. */
struct way {
    int from, to;
    size_t first, count;
    struct packet packets[UNDER_WAY_MOST];
};

enum { THERE, BACK, WAYS };

static struct way ways[WAYS];
static int64_t delay;

static struct {
    unsigned long packets;
    int64_t late, latest;
} seen;

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

/* A tun device belongs to the namespace in which its file is opened. */
static int open_device(int namespace)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd;

    memcpy(request.ifr_name, DEVICE, sizeof DEVICE);
    if (setns(namespace, CLONE_NEWNET) != 0)
        die("setns");
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        die("/dev/net/tun");
    if (ioctl(fd, TUNSETIFF, &request) != 0)
        die("TUNSETIFF");
    return fd;
}

/* Takes in all that waits. */
static void take_in(struct way *way)
{
    for (;;) {
        struct packet *packet = &way->packets[(way->first + way->count) % UNDER_WAY_MOST];
        ssize_t length;

        if (way->count == UNDER_WAY_MOST) {
            errno = ENOBUFS;
            die("too many packets under way");
        }
        length = read(way->from, packet->bytes, sizeof packet->bytes);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN)
            return;
        if (length < 0)
            die("read");
        packet->length = (size_t)length;
        packet->due = now() + delay;
        way->count++;
    }
}

static void note(const struct packet *packet)
{
    int64_t late = now() - packet->due;

    seen.packets++;
    seen.late += late;
    if (late > seen.latest)
        seen.latest = late;
}

/* Lets out all that is due. */
static void let_out(struct way *way)
{
    while (way->count > 0 && way->packets[way->first].due <= now()) {
        const struct packet *packet = &way->packets[way->first];

        if (write(way->to, packet->bytes, packet->length) != (ssize_t)packet->length)
            die("write");
        note(packet);
        way->first = (way->first + 1) % UNDER_WAY_MOST;
        way->count--;
    }
}

/* Wakes shortly before the next packet is due. False when that is now. */
static bool set_timer(int timer)
{
    struct itimerspec at = {{0, 0}, {0, 0}};
    int64_t next = INT64_MAX;

    for (int i = 0; i < WAYS; i++)
        if (ways[i].count > 0 && ways[i].packets[ways[i].first].due - AWAKE < next)
            next = ways[i].packets[ways[i].first].due - AWAKE;
    if (next <= now())
        return false;
    if (next != INT64_MAX) {
        at.it_value.tv_sec = next / SECOND;
        at.it_value.tv_nsec = next % SECOND;
    }
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) != 0)
        die("timerfd_settime");
    return true;
}

static void report(void)
{
    long long mean = seen.packets == 0 ? 0 : seen.late / (long long)seen.packets / 1000;

    printf("%lu %lld %lld\n", seen.packets, mean, (long long)seen.latest / 1000);
    memset(&seen, 0, sizeof seen);
}

/* False at the end of the input. */
static bool obey(void)
{
    char line[64];
    ssize_t length = read(STDIN_FILENO, line, sizeof line - 1);

    if (length <= 0)
        return false;
    line[length] = '\0';
    if (strcmp(line, "report\n") == 0) {
        report();
    } else {
        delay = strtoll(line, NULL, 10) * 1000;
        puts("ok");
    }
    fflush(stdout);
    return true;
}

/* A wire does not wait for a processor: before the logins too. Without the right to that, it waits, and the report
 * shows it. */
static void come_first(void)
{
    const struct sched_param parameters = {.sched_priority = 2};

    sched_setscheduler(0, SCHED_RR, &parameters);
}

static void run(int timer)
{
    enum { ORDERS, TIMER, DEVICES, ALL = DEVICES + WAYS };
    struct pollfd polled[ALL] = {[ORDERS] = {STDIN_FILENO, POLLIN, 0}, [TIMER] = {timer, POLLIN, 0}};

    for (int i = 0; i < WAYS; i++)
        polled[DEVICES + i] = (struct pollfd){ways[i].from, POLLIN, 0};
    for (;;) {
        int patience = set_timer(timer) ? -1 : 0;

        if (poll(polled, ALL, patience) < 0 && errno != EINTR)
            die("poll");
        for (int i = 0; i < WAYS; i++) {
            take_in(&ways[i]);
            let_out(&ways[i]);
        }
        if (polled[ORDERS].revents != 0 && !obey())
            return;
    }
}

int main(int argc, char **argv)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int near, far;

    if (argc != 3 || timer < 0) {
        fputs("usage: delay NEAR FAR\n", stderr);
        return EXIT_FAILURE;
    }
    near = open_device(atoi(argv[1]));
    far = open_device(atoi(argv[2]));
    ways[THERE].from = ways[BACK].to = near;
    ways[THERE].to = ways[BACK].from = far;
    come_first();
    puts("ready");
    fflush(stdout);
    run(timer);
    return EXIT_SUCCESS;
}
