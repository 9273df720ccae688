#include "module/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A started program reads its first frame at once; the frame fits the socket's buffer, so this is never waited for in
 * earnest. */
#define START_MS 1000

static enum error transport_error(void)
{
    return errno == ETIMEDOUT ? ERR_DEADLINE : ERR_HELPER_LOST;
}

enum error program_start(struct program *program, const char *path, enum message_type type, const void *message,
                         char *why, size_t size)
{
    *program = (struct program){.process = {-1, -1}, .owner = getpid(), .frame = frame_new()};
    if (program->frame == NULL)
        return ERR_NO_MEMORY;
    if (!message_write(program->frame, type, message))
        return ERR_BAD_REQUEST;
    if (!spawn(path, &program->process)) {
        snprintf(why, size, "%s: %s", path, strerrordesc_np(errno));
        return ERR_HELPER;
    }
    if (frame_send(program->frame, program->process.socket, deadline_in(START_MS)))
        return ERR_NONE;
    snprintf(why, size, "%s did not take its first message", path);
    return transport_error();
}

enum error program_send(struct program *program, enum message_type type, const void *message, deadline_t deadline)
{
    if (!message_write(program->frame, type, message))
        return ERR_BAD_REQUEST;
    return frame_send(program->frame, program->process.socket, deadline) ? ERR_NONE : transport_error();
}

enum error program_receive(struct program *program, enum message_type type, void *message, deadline_t deadline)
{
    if (!frame_receive(program->frame, program->process.socket, deadline))
        return transport_error();
    return message_read(program->frame, type, message) ? ERR_NONE : ERR_HELPER_LOST;
}

void program_kill(const struct program *program)
{
    /* By pidfd: the process is nobody's child here, and its number may be another's by now. */
    if (program->process.pidfd >= 0 && program->owner == getpid())
        syscall(SYS_pidfd_send_signal, program->process.pidfd, SIGKILL, NULL, 0);
}

void program_end(struct program *program, int farewell_ms)
{
    if (farewell_ms > 0 && program->process.pidfd >= 0 && program->owner == getpid()) {
        /* Not close(): a child of the host may have a copy of the socket. */
        shutdown(program->process.socket, SHUT_RDWR);
        deadline_poll(program->process.pidfd, POLLIN, deadline_in(farewell_ms));
    }
    program_kill(program);
    if (program->process.pidfd >= 0) {
        close(program->process.socket);
        close(program->process.pidfd);
    }
    frame_free(&program->frame);
    program->process = (struct process){-1, -1};
}
