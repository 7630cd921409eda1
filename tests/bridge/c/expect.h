/* Checks of the C programs: what fails is printed, with the library's last message. */
#ifndef EXPECT_H
#define EXPECT_H

#include <hybrid.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (!(condition)) {                                                        \
      printf("line %d: %s (%s)\n", __LINE__, #condition, hybrid_last_error()); \
      ++failures;                                                              \
    }                                                                          \
  } while (0)

#define EXPECT_OK(call) EXPECT((call) == HYBRID_OK)

#define EXPECT_REFUSED(call, status, part) \
  EXPECT((call) == (status) && strstr(hybrid_last_error(), part) != NULL)

#endif
