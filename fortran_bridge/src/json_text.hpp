// JSON of an archive, read with bounds: whoever wrote it may have meant harm.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace hybrid {

constexpr int deepest_json = 16;                  // objects and arrays inside each other
constexpr size_t longest_shown = 200;             // bytes of foreign text in a message
constexpr size_t largest_json = size_t{1} << 22;  // bytes of one JSON entry

// Text that may stand in a message: printable ASCII, the rest as '?', shortened.
std::string printable(const std::string &text);

// Parses JSON of at most `deepest_json` levels; throws nlohmann::json::exception if it is none.
nlohmann::json parse_json(const std::string &text);

}  // namespace hybrid
