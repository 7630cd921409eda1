#include "error.hpp"

namespace hybrid {

namespace {
thread_local std::string message_of_thread;
}

int remember(hybrid_status status, const char *message) noexcept {
  try {
    message_of_thread = message;
  } catch (...) {
    message_of_thread.clear();
  }
  return status;
}

const char *last_error() noexcept { return message_of_thread.c_str(); }

}  // namespace hybrid
