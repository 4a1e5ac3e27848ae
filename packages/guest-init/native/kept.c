#define _GNU_SOURCE
#include "kept.h"

#include <errno.h>
#include <string.h>

#include "connection.h"
#include "wire.h"

#define ANNOUNCEMENT_BYTES 49u

bool kept_open(struct command *command, const struct start_request *request,
               struct spawn_failure *failure) {
  if (!request->keep) return true;
  size_t count = 0;
  for (size_t i = 0; i < commands_count(); i++) {
    const struct command *other = command_at(i);
    if (!other->kept) continue;
    count++;
    if (memcmp(other->key, request->key, KEY_BYTES) == 0) {
      *failure = (struct spawn_failure){STEP_REQUEST, EEXIST};
      return false;
    }
  }
  if (count >= KEPT_MAX) {
    *failure = (struct spawn_failure){STEP_RESOURCES, ENOSPC};
    return false;
  }
  command->kept = true;
  memcpy(command->key, request->key, KEY_BYTES);
  struct output *outputs = command->outputs;
  if (ring_open(&outputs[0].ring) && (request->want_terminal || ring_open(&outputs[1].ring)))
    return true;
  *failure = (struct spawn_failure){STEP_RESOURCES, ENOMEM};
  return false;
}

void kept_close(struct command *command) {
  for (int o = 0; o < 2; o++) ring_close(&command->outputs[o].ring);
}

void kept_detach(void) {
  for (size_t i = 0; i < commands_count(); i++) {
    struct command *command = command_at(i);
    if (!command->kept) continue;
    command->party.attached = false;
    command->announced = false;
    command->told_exit = false;
  }
}

/* Room for all of them is in the output buffer of a connection that was just accepted. */
static void announce(struct command *command, uint32_t id) {
  uint8_t *payload = connection_frame(MSG_KEPT, id, ANNOUNCEMENT_BYTES);
  if (payload == NULL) return;
  command->party.id = id;
  command->announced = true;
  const struct output *outputs = command->outputs;
  memcpy(payload, command->key, KEY_BYTES);
  put_u32(payload + 16, (uint32_t)command->pid);
  payload[20] = (uint8_t)((command->reaped ? KEPT_ENDED : 0) |
                          (command->input.closing ? 0 : KEPT_STDIN) |
                          (command->terminal ? KEPT_TERMINAL : 0));
  put_u64(payload + 21, outputs[0].ring.acknowledged);
  put_u64(payload + 29, outputs[1].ring.acknowledged);
  put_u64(payload + 37, command->input.taken);
  put_u32(payload + 45, (uint32_t)input_restart(&command->input));
}

void kept_announce(void) {
  uint32_t id = KEPT_ID_FIRST;
  for (size_t i = 0; i < commands_count(); i++) {
    if (command_at(i)->kept) announce(command_at(i), id++);
  }
  connection_frame(MSG_KEPT_END, 0, 0);
}

bool kept_resume(uint32_t id, uint64_t stdout_offset, uint64_t stderr_offset) {
  struct command *command = command_find(id);
  if (command == NULL || !command->announced) return false;
  command->announced = false;
  command->party.attached = true;
  return ring_resume(&command->outputs[0].ring, stdout_offset) &&
         ring_resume(&command->outputs[1].ring, stderr_offset);
}

bool kept_forget(uint32_t id) {
  struct command *command = command_find(id);
  if (command == NULL) {
    /* It was not started. */
    connection_frame(MSG_FORGOTTEN, id, 0);
    return true;
  }
  if (!command->kept) return false;
  command->kept = false;
  command->party.attached = false;
  command->announced = false;
  kept_close(command);
  command->input.closing = true;
  if (command->terminal) {
    command_hang_up(command);
  } else {
    command_write_stdin(command);
  }
  connection_frame(MSG_FORGOTTEN, id, 0);
  return true;
}

/* Reads the rest of what it wrote before its end. */
static void read_rest(struct command *command) {
  for (int o = 0; o < 2; o++) {
    struct output *output = &command->outputs[o];
    while (output->remaining > 0 && output_wanted(&command->party, output) &&
           output_read(&command->party, output)) {
    }
  }
  if (command->terminal && command->outputs[0].remaining == 0) command_close_terminal(command);
}

static bool exit_due(const struct command *command) {
  return command->reaped && command->party.attached && !command->told_exit &&
         output_delivered(&command->outputs[0]) && output_delivered(&command->outputs[1]);
}

void kept_advance(struct command *command) {
  if (command->reaped) {
    input_close(&command->input);
    read_rest(command);
  }
  for (int o = 0; o < 2; o++) output_send_ring(&command->party, &command->outputs[o]);
  if (exit_due(command)) command->told_exit = command_send_exit(command);
}

bool kept_pending(const struct command *command) {
  if (!command->party.attached) return false;
  for (int o = 0; o < 2; o++) {
    const struct ring *ring = &command->outputs[o].ring;
    if (ring->data != NULL && ring->sent < ring->end) return true;
  }
  return exit_due(command);
}
