/* Prints which engine runs an archive, or why none does, and what the library says meanwhile.
 * Arguments: an archive, the engine asked for, a device. */
#include "expect.h"

static void print(int level, const char *message, void *context) {
  (void)context;
  printf("%s: %s\n", level == HYBRID_LOG_WARNING ? "warning" : "info", message);
}

int main(int argc, char **argv) {
  hybrid_closure *closure = NULL;
  EXPECT(argc == 4);
  hybrid_log_to(print, NULL);
  if (hybrid_closure_load(argv[1], argv[2], argv[3], 1, &closure) == HYBRID_OK)
    puts(hybrid_closure_describe(closure));
  else
    puts(hybrid_last_error());
  hybrid_closure_free(closure);
  return failures;
}
