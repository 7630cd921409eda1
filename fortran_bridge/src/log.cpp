#include "log.hpp"

#include <mutex>

namespace hybrid {

namespace {

std::mutex mutex;
hybrid_log_function host_function = nullptr;
void *host_context = nullptr;

}  // namespace

void log_to(hybrid_log_function function, void *context) {
  const std::lock_guard<std::mutex> lock(mutex);
  host_function = function;
  host_context = context;
}

void log(hybrid_log_level level, const std::string &message) {
  hybrid_log_function function = nullptr;
  void *context = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    function = host_function;
    context = host_context;
  }
  // Outside the lock: the host may well call the library from its function.
  if (function) function(level, message.c_str(), context);
}

}  // namespace hybrid
