// Values of `extra/native.json`, checked as they are read.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "program.hpp"

namespace hybrid_native {

using Json = nlohmann::json;

// Of the format: the first that was written, and the first with transposed matrices, with float64.
constexpr int64_t first_major = 1, transposed_major = 2, float64_major = 3;
constexpr int64_t last_major = float64_major;

// Throws std::runtime_error: what was expected and what was found.
[[noreturn]] void refuse(const std::string &message);

std::string shown(const Json &json);

int64_t whole(const Json &json, const std::string &what, int64_t least, int64_t most);

double number(const Json &json, const std::string &what);

const Json &list(const Json &json, const std::string &what, int64_t most);

const char *name_of(Type type);

// The type of a tensor or an argument; before format 3 there was one alone.
Type read_type(const Json &json, const std::string &what, int64_t major);

}  // namespace hybrid_native
