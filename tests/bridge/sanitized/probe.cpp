// Reads archives from standard input, each after its size and a variant (two 8-byte numbers), tries
// to load and use them, and answers each with a line "status message".
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <vector>

#include "exercise.hpp"
#include "hybrid.h"

constexpr unsigned most_seconds = 60;  // for one archive: more is a hang

int main() {
  uint64_t head[2];
  while (std::fread(head, sizeof head, 1, stdin) == 1) {
    std::vector<char> bytes(head[0]);
    if (!bytes.empty() && std::fread(bytes.data(), bytes.size(), 1, stdin) != 1) return 2;
    alarm(most_seconds);
    hybrid_closure *closure = nullptr;
    const int status = hybrid_closure_load_memory(bytes.data(), static_cast<int64_t>(bytes.size()),
                                                  "mutant", "auto", "cpu", 1, &closure);
    // What was loaded keeps what it needs.
    bytes.clear();
    bytes.shrink_to_fit();
    std::printf("%d %s\n", status, status == HYBRID_OK ? "" : hybrid_last_error());
    if (status == HYBRID_OK) exercise::use(closure, static_cast<unsigned>(head[1]));
    hybrid_closure_free(closure);
    std::puts("done");
    std::fflush(stdout);
  }
  return 0;
}
