/* Prints what a closure loaded in a precision computes in, or why it is refused: from a file, then
 * from memory. Arguments: an archive, an engine, a device, a precision. */
#include <stdlib.h>

#include "expect.h"

static void print(int status, hybrid_closure *closure) {
  puts(status == HYBRID_OK ? hybrid_closure_describe(closure) : hybrid_last_error());
  hybrid_closure_free(closure);
}

int main(int argc, char **argv) {
  hybrid_closure *closure = NULL;
  FILE *file;
  char *bytes;
  long n;
  int status;
  EXPECT(argc == 5);
  status = hybrid_closure_load_precision(argv[1], argv[2], argv[3], 1, argv[4], &closure);
  print(status, closure);
  file = fopen(argv[1], "rb");
  EXPECT(file != NULL && fseek(file, 0, SEEK_END) == 0);
  n = ftell(file);
  rewind(file);
  bytes = malloc((size_t)n);
  EXPECT(bytes != NULL && fread(bytes, 1, (size_t)n, file) == (size_t)n);
  fclose(file);
  status = hybrid_closure_load_memory_precision(bytes, n, "memory", argv[2], argv[3], 1, argv[4],
                                                &closure);
  print(status, closure);
  free(bytes);
  EXPECT(hybrid_closure_load_precision(argv[1], argv[2], argv[3], 1, NULL, &closure) ==
         HYBRID_ERROR_ARGUMENT);
  return failures;
}
