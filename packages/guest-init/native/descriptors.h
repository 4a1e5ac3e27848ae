#ifndef SANDPORT_DESCRIPTORS_H
#define SANDPORT_DESCRIPTORS_H

/* Closes every descriptor from this one on. */
void close_from(unsigned int first);

/* The same where it is one system call, else nothing: for what is close-on-exec anyway. */
void close_from_if_cheap(unsigned int first);

#endif
