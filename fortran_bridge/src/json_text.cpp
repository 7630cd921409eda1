#include "json_text.hpp"

#include "error.hpp"

namespace hybrid {

std::string printable(const std::string &text) {
  std::string shown = text.substr(0, longest_shown);
  for (auto &letter : shown)
    if (letter < ' ' || letter > '~') letter = '?';
  return text.size() > longest_shown ? shown + "..." : shown;
}

nlohmann::json parse_json(const std::string &text) {
  // The library copies values by recursion: depth has to end before the stack does.
  const auto shallow = [](int depth, nlohmann::json::parse_event_t, nlohmann::json &) {
    if (depth > deepest_json)
      throw Error(HYBRID_ERROR_ARCHIVE,
                  "JSON in the archive: expected at most " + std::to_string(deepest_json) +
                      " levels of objects and arrays, got more; export the closure again");
    return true;
  };
  return nlohmann::json::parse(text, shallow);
}

}  // namespace hybrid
