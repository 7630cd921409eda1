/* A loaded closure: from a file, from memory, and what it says of itself. */
#include <stdlib.h>

#include "expect.h"

static int n_message = 0;

static void count(int level, const char *message, void *context) {
  EXPECT(level == HYBRID_LOG_INFO);
  EXPECT(strstr(message, "persistence 1.0") != NULL);
  ++*(int *)context;
}

static void *contents(const char *path, int64_t *size) {
  FILE *file = fopen(path, "rb");
  void *bytes;
  fseek(file, 0, SEEK_END);
  *size = ftell(file);
  rewind(file);
  bytes = malloc((size_t)*size);
  EXPECT(fread(bytes, 1, (size_t)*size, file) == (size_t)*size);
  fclose(file);
  return bytes;
}

static void refusals(const char *path) {
  hybrid_closure *closure = NULL;
  EXPECT_REFUSED(hybrid_closure_load(path, "auto", "cpu", 1, NULL), HYBRID_ERROR_ARGUMENT,
                 "expected an address for the closure, got null");
  EXPECT_REFUSED(hybrid_closure_load(NULL, "auto", "cpu", 1, &closure), HYBRID_ERROR_ARGUMENT,
                 "expected a path, got null");
  EXPECT_REFUSED(hybrid_closure_load(path, NULL, "cpu", 1, &closure), HYBRID_ERROR_ARGUMENT,
                 "expected an engine name, got null");
  EXPECT_REFUSED(hybrid_closure_load(path, "auto", NULL, 1, &closure), HYBRID_ERROR_ARGUMENT,
                 "expected a device, got null");
  EXPECT_REFUSED(hybrid_closure_load("/none", "auto", "cpu", 1, &closure), HYBRID_ERROR_FILE,
                 "/none: expected a readable archive file");
  EXPECT_REFUSED(hybrid_closure_load_memory(NULL, 1, "x", "auto", "cpu", 1, &closure),
                 HYBRID_ERROR_ARGUMENT, "expected the bytes of an archive, got null");
  EXPECT_REFUSED(hybrid_closure_load_memory("x", 1, NULL, "auto", "cpu", 1, &closure),
                 HYBRID_ERROR_ARGUMENT, "expected a label, got null");
  EXPECT_REFUSED(hybrid_closure_load_memory("x", -1, "rank 3", "auto", "cpu", 1, &closure),
                 HYBRID_ERROR_ARGUMENT, "rank 3: expected a number of bytes, got -1");
  EXPECT_REFUSED(hybrid_closure_load_precision(path, "auto", "cpu", 1, NULL, &closure),
                 HYBRID_ERROR_ARGUMENT, "a precision");
  EXPECT_REFUSED(
      hybrid_closure_load_memory_precision("x", 1, "rank 3", "auto", "cpu", 1, NULL, &closure),
      HYBRID_ERROR_ARGUMENT, "a precision");
  EXPECT_REFUSED(hybrid_closure_load_precision(path, "auto", "cpu", 1, "bf16", &closure),
                 HYBRID_ERROR_ENGINE, "got one without such a test");
  EXPECT_REFUSED(hybrid_closure_load_memory("x", 1, "rank 3", "auto", "cpu", 1, &closure),
                 HYBRID_ERROR_ARCHIVE, "rank 3: expected a closure archive");
  EXPECT(closure == NULL);
  EXPECT_REFUSED(hybrid_closure_retain(NULL), HYBRID_ERROR_ARGUMENT, "expected a loaded closure");
  hybrid_closure_free(NULL);
}

static void nothing(void) {
  int64_t sizes[8];
  EXPECT(hybrid_closure_manifest(NULL) == NULL);
  EXPECT(hybrid_closure_describe(NULL) == NULL);
  EXPECT(hybrid_closure_blocks(NULL, sizes, 8) == 0);
  EXPECT(hybrid_closure_field_count(NULL, "inputs") == -1);
  EXPECT(hybrid_closure_field_name(NULL, "inputs", 0) == NULL);
  EXPECT(hybrid_closure_field_units(NULL, "x") == NULL);
  EXPECT(hybrid_closure_field_size(NULL, "x") == -1);
}

static void description(const hybrid_closure *closure) {
  int64_t sizes[2] = {-7, -7};
  EXPECT(strstr(hybrid_closure_manifest(closure), "\"persistence\"") != NULL);
  EXPECT(strstr(hybrid_closure_describe(closure), "\n  state memory [1] (column, level = 5)"));
  EXPECT(hybrid_closure_blocks(closure, NULL, 0) >= 1);
  EXPECT(hybrid_closure_blocks(closure, sizes, 1) >= 1);
  EXPECT(sizes[0] >= 1 && sizes[1] == -7);

  EXPECT(hybrid_closure_field_count(closure, "inputs") == 1);
  EXPECT(hybrid_closure_field_count(closure, "outputs") == 1);
  EXPECT(hybrid_closure_field_count(closure, "state") == 1);
  EXPECT(hybrid_closure_field_count(closure, "noise") == 1);
  EXPECT(hybrid_closure_field_count(closure, "weights") == -1);
  EXPECT(hybrid_closure_field_count(closure, NULL) == -1);
  EXPECT(strcmp(hybrid_closure_field_name(closure, "noise", 0), "shock") == 0);
  EXPECT(hybrid_closure_field_name(closure, "noise", 1) == NULL);
  EXPECT(hybrid_closure_field_name(closure, "noise", -1) == NULL);
  EXPECT(strcmp(hybrid_closure_field_units(closure, "x_tendency"), "s-1") == 0);
  EXPECT(hybrid_closure_field_units(closure, "y") == NULL);
  EXPECT(hybrid_closure_field_units(closure, NULL) == NULL);
  EXPECT(hybrid_closure_field_size(closure, "x") == 1);
  EXPECT(hybrid_closure_field_size(closure, "memory") == 5);
  EXPECT(hybrid_closure_field_size(closure, "y") == -1);
}

int main(int n_argument, char **arguments) {
  hybrid_closure *closure = NULL, *copy = NULL;
  int64_t size;
  void *bytes;
  if (n_argument != 2) return 2;
  refusals(arguments[1]);
  nothing();

  hybrid_log_to(count, &n_message);
  EXPECT_OK(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  EXPECT(n_message == 1);
  hybrid_log_to(NULL, NULL);
  description(closure);

  bytes = contents(arguments[1], &size);
  EXPECT_OK(hybrid_closure_load_memory(bytes, size, "rank 3", "auto", "cpu", 1, &copy));
  memset(bytes, 0, (size_t)size);
  free(bytes);
  EXPECT(n_message == 1);
  EXPECT(strcmp(hybrid_closure_manifest(copy), hybrid_closure_manifest(closure)) == 0);
  hybrid_closure_free(copy);

  EXPECT_OK(hybrid_closure_retain(closure));
  hybrid_closure_free(closure);
  EXPECT(hybrid_closure_field_count(closure, "inputs") == 1);
  hybrid_closure_free(closure);
  return failures != 0;
}
