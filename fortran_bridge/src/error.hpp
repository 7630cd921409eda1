// Errors inside the library are exceptions; none crosses the C ABI.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "float_environment.hpp"
#include "hybrid.h"

namespace hybrid {

class Error : public std::runtime_error {
 public:
  Error(hybrid_status status, const std::string &message)
      : std::runtime_error(message), status_(status) {}
  hybrid_status status() const { return status_; }

 private:
  hybrid_status status_;
};

// Keeps the message for hybrid_last_error and returns the status.
int remember(hybrid_status status, const char *message) noexcept;
const char *last_error() noexcept;

// Runs `body` and turns whatever it throws into a status.
template <class Body>
int guarded(Body &&body) noexcept {
  // Traps of the host stay silent inside, whatever is called.
  const FloatEnvironment environment;
  try {
    body();
    return HYBRID_OK;
  } catch (const Error &error) {
    return remember(error.status(), error.what());
  } catch (const std::bad_alloc &) {
    return remember(HYBRID_ERROR_INTERNAL, "out of memory");
  } catch (const std::exception &error) {
    return remember(HYBRID_ERROR_INTERNAL, error.what());
  } catch (...) {
    return remember(HYBRID_ERROR_INTERNAL, "unknown exception");
  }
}

}  // namespace hybrid
