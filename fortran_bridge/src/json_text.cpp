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
  using Event = nlohmann::json::parse_event_t;
  const auto shallow = [](int depth, Event event, nlohmann::json &) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth >= deepest_json)
      throw Error(HYBRID_ERROR_ARCHIVE,
                  "JSON in the archive: expected at most " + std::to_string(deepest_json) +
                      " levels of objects and arrays, got more; export the closure again");
    return true;
  };
  return nlohmann::json::parse(text, shallow);
}

}  // namespace hybrid
