#include "program.hpp"

#include <stdexcept>

#include "../json_text.hpp"
#include "program_json.hpp"
#include "step_reader.hpp"
#include "tensor.hpp"

namespace hybrid_native {

namespace {

constexpr const char *program_entry = "extra/native.json";

void read_results(const Json &json, const StepReader &reader, const Forms &fields,
                  Program &program) {
  const auto n_result = static_cast<int64_t>(fields.results.size());
  if (!json.is_array() || static_cast<int64_t>(json.size()) != n_result)
    refuse("expected the " + std::to_string(n_result) +
           " results (outputs, new state) of the specification, got " + shown(json));
  for (const auto &entry : json) {
    const std::string what = "result " + std::to_string(program.results.size());
    const int64_t step = reader.step_number(entry, what);
    const auto &expected = fields.results[program.results.size()];
    const int64_t size = program.steps[static_cast<size_t>(step)].size;
    const Type type = program.steps[static_cast<size_t>(step)].type;
    if (size != expected.size)
      refuse(what + ": expected the " + std::to_string(expected.size) +
             " numbers of the specification, got " + std::to_string(size));
    if (type != expected.type)
      refuse(what + ": expected the " + name_of(expected.type) + " of the specification, got " +
             name_of(type));
    program.results.push_back(step);
  }
}

}  // namespace

Program read_program(const Entries &entries, const Forms &fields) {
  const auto text = entries(program_entry);
  if (!text)
    throw std::runtime_error(
        "expected a native program in the archive, got none; load it with "
        "engine 'torchscript', or export the closure again");
  if (text->size() > hybrid::largest_json)
    refuse("expected at most " + std::to_string(hybrid::largest_json >> 20) + " MiB, got more");
  try {
    const auto json = hybrid::parse_json(std::string(*text));
    const auto &format = json.at("format");
    const auto &major = format.at("major");
    if (!major.is_number_integer() || major < first_major || major > last_major)
      refuse("expected native program format " + std::to_string(first_major) + ".x to " +
             std::to_string(last_major) + ".x, got " + shown(format) +
             "; install a hybrid-closures that reads it");
    Program program;
    for (const auto &entry : list(json.at("tensors"), "tensors", most_tensors))
      program.tensors.push_back(read_tensor(entry,
                                            "tensor " + std::to_string(program.tensors.size()),
                                            entries, major.get<int64_t>()));
    StepReader reader(program, fields, major.get<int64_t>());
    for (const auto &entry : list(json.at("steps"), "steps", most_steps)) reader.add(entry);
    read_results(json.at("results"), reader, fields, program);
    return program;
  } catch (const Json::exception &error) {
    refuse(std::string("expected a native program, got text that does not read as one (") +
           hybrid::printable(error.what()) + ")");
  }
}

}  // namespace hybrid_native
