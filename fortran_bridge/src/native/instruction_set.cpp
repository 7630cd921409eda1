#include "instruction_set.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace hybrid_native {

namespace {

struct Choice {
  std::string name;
  const Kernels *kernels;
  bool is_possible;
};

// The best first.
std::vector<Choice> choices() {
  std::vector<Choice> all;
#if defined(__x86_64__)
  __builtin_cpu_init();
  all.push_back({"v4", &kernels_v4, __builtin_cpu_supports("x86-64-v4") != 0});
  all.push_back({"v3", &kernels_v3, __builtin_cpu_supports("x86-64-v3") != 0});
#endif
  all.push_back({"base", &kernels_base, true});
  return all;
}

const Kernels *find(std::string &problem) {
  const char *wish = std::getenv("HYBRID_ISA");
  const bool is_asked = wish && *wish;
  std::string possible;
  for (const auto &choice : choices()) {
    if (!choice.is_possible) continue;
    if (!is_asked || choice.name == wish) return choice.kernels;
    possible += (possible.empty() ? "'" : ", '") + choice.name + "'";
  }
  problem = "HYBRID_ISA: expected an instruction set that this processor and build have, that is " +
            possible + ", got '" + wish + "'; unset it for the best one";
  return nullptr;
}

const Kernels *find_bf16(std::string &why_not) {
  const char *wish = std::getenv("HYBRID_ISA");
  if (wish && *wish) {
    why_not = std::string("HYBRID_ISA asks for '") + wish + "'";
    return nullptr;
  }
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16"))
    return &kernels_v4bf16;
#endif
  why_not = "this processor has no AVX512_BF16";
  return nullptr;
}

struct Chosen {
  std::string problem, why_not_bf16;
  const Kernels *kernels = find(problem);
  const Kernels *bf16 = find_bf16(why_not_bf16);
};

const Chosen &chosen() {
  static const Chosen once;
  return once;
}

}  // namespace

const Kernels &chosen_kernels() {
  const auto &found = chosen();
  if (!found.kernels) throw std::runtime_error(found.problem);
  return *found.kernels;
}

const Kernels *bf16_kernels(std::string &why_not) {
  const auto &found = chosen();
  why_not = found.why_not_bf16;
  return found.bf16;
}

const Kernels *kernels_or_null() noexcept {
  try {
    return chosen().kernels;
  } catch (...) {
    return nullptr;
  }
}

}  // namespace hybrid_native
