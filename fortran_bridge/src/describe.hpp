// What a person wants to know of a closure.
#pragma once

#include <string>
#include <vector>

#include "engine_choice.hpp"
#include "self_test.hpp"
#include "spec.hpp"

namespace hybrid {

std::string describe(const Spec &spec, const ChosenModel &chosen, const std::vector<Block> &blocks);

}  // namespace hybrid
