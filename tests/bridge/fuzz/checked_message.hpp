// What every refusal must be: an Error with text that any terminal and log can show.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>

#include "error.hpp"

inline void check_message(const hybrid::Error &error) {
  const std::string message = error.what();
  const bool shown = std::all_of(message.begin(), message.end(),
                                 [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (message.empty() || message.size() > 1000 || !shown) std::abort();
  if (error.status() != HYBRID_ERROR_ARCHIVE) std::abort();
}
