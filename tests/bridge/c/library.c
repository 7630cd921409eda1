/* The library itself: versions, messages, devices, random numbers. No archive is needed. */
#include <math.h>
#include <stdlib.h>

#include "expect.h"

static void ignore(int level, const char *message, void *context) {
  (void)level, (void)message, (void)context;
}

static void devices(void) {
  char name[8];
  int count = -1;
  unsetenv("OMPI_COMM_WORLD_LOCAL_RANK");
  EXPECT_OK(hybrid_local_device("cuda", 0, name, sizeof(name)));
  EXPECT(strcmp(name, "cpu") == 0);
  setenv("OMPI_COMM_WORLD_LOCAL_RANK", "5", 1);
  EXPECT_OK(hybrid_local_device("cuda", 4, name, sizeof(name)));
  EXPECT(strcmp(name, "cuda:1") == 0);
  EXPECT_REFUSED(hybrid_local_device("cuda", 4, name, 6), HYBRID_ERROR_ARGUMENT,
                 "device: expected room for 7 bytes, got 6");
  EXPECT_REFUSED(hybrid_local_device("cuda", -1, name, sizeof(name)), HYBRID_ERROR_ARGUMENT,
                 "device: expected a number of devices, got -1");
  EXPECT_REFUSED(hybrid_local_device(NULL, 1, name, sizeof(name)), HYBRID_ERROR_ARGUMENT,
                 "expected a kind of device, got null");
  EXPECT_REFUSED(hybrid_local_device("cuda", 1, NULL, 8), HYBRID_ERROR_ARGUMENT,
                 "expected room for the name, got null");

  EXPECT_OK(hybrid_device_count("torchscript", "abacus", &count));
  EXPECT(count == 0);
  EXPECT_REFUSED(hybrid_device_count("no_such_engine", "cuda", &count), HYBRID_ERROR_ENGINE,
                 "no_such_engine");
  EXPECT_REFUSED(hybrid_device_count(NULL, "cuda", &count), HYBRID_ERROR_ARGUMENT,
                 "expected an engine name, got null");
  EXPECT_REFUSED(hybrid_device_count("torchscript", NULL, &count), HYBRID_ERROR_ARGUMENT,
                 "expected a kind of device, got null");
  EXPECT_REFUSED(hybrid_device_count("torchscript", "cuda", NULL), HYBRID_ERROR_ARGUMENT,
                 "expected an address for the count, got null");
}

static void noise(void) {
  const int64_t ids[3] = {4, -1, 5};
  double all[15], last[5], one;
  EXPECT_OK(hybrid_noise(7, 0, 1, 3, ids, 5, all));
  EXPECT_OK(hybrid_noise(7, 0, 1, 1, ids + 2, 5, last));
  EXPECT(memcmp(all + 10, last, sizeof(last)) == 0);
  EXPECT_OK(hybrid_noise(7, 0, 2, 1, ids, 1, &one));
  EXPECT(isfinite(one) && one != all[0]);
  EXPECT_REFUSED(hybrid_noise(7, 0, 1, 3, ids, 0, all), HYBRID_ERROR_ARGUMENT,
                 "noise: expected positive sizes");
  EXPECT_REFUSED(hybrid_noise(7, 0, 1, 3, NULL, 5, all), HYBRID_ERROR_ARGUMENT,
                 "expected column ids, got null");
  EXPECT_REFUSED(hybrid_noise(7, 0, 1, 3, ids, 5, NULL), HYBRID_ERROR_ARGUMENT,
                 "expected an array, got null");
}

int main(void) {
  EXPECT(strlen(hybrid_last_error()) == 0);
  EXPECT(strchr(hybrid_version(), '.') != NULL);
  EXPECT(hybrid_abi_version() == HYBRID_ABI_VERSION);
  hybrid_log_to(ignore, NULL);
  hybrid_log_to(NULL, NULL);
  devices();
  noise();
  return failures != 0;
}
