#include "aoti_package.hpp"

#include <caffe2/serialize/in_memory_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace hybrid_torch {

namespace {

namespace fs = std::filesystem;
using caffe2::serialize::MemoryReadAdapter;
using caffe2::serialize::PyTorchStreamReader;

constexpr std::string_view contents = "data/aotinductor/model/";

fs::path private_folder() {
  std::error_code error;
  auto base = fs::temp_directory_path(error);
  if (error) base = "/tmp";
  std::string name = base / "hybrid-XXXXXX";
  if (!mkdtemp(name.data()))
    throw std::runtime_error(base.string() + ": expected a temporary folder to write to, got '" +
                             std::strerror(errno) + "'; set TMPDIR to another");
  return name;
}

void write(const fs::path &path, const void *bytes, size_t count) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char *>(bytes), static_cast<std::streamsize>(count));
  file.close();
  if (!file)
    throw std::runtime_error(path.string() + ": expected room for " + std::to_string(count) +
                             " bytes, got '" + std::strerror(errno) +
                             "'; set TMPDIR to another folder");
}

// torch names instructions, GCC levels of the architecture that contain them.
bool processor_has([[maybe_unused]] const std::string &instructions) {
#if defined(__x86_64__)
  if (instructions.find("AVX512") != std::string::npos || instructions.find("AMX") == 0)
    return __builtin_cpu_supports("x86-64-v4");
  if (instructions.find("AVX2") != std::string::npos) return __builtin_cpu_supports("x86-64-v3");
#endif
  return true;
}

}  // namespace

Package::Package(const void *bytes, size_t n_bytes) : folder_(private_folder()) {
  try {
    PyTorchStreamReader reader(
        std::make_shared<MemoryReadAdapter>(bytes, static_cast<off_t>(n_bytes)));
    std::string base;
    for (const auto &name : reader.getAllRecords()) {
      const std::string_view view = name;
      if (view.substr(0, contents.size()) != contents) continue;
      const fs::path file(view.substr(contents.size()));
      // Nothing is written outside the folder, whatever the names.
      if (file.has_parent_path() || file.extension() == ".cpp") continue;
      const auto [data, size] = reader.getRecord(name);
      write(folder_ / file, data.get(), size);
      if (file.extension() != ".so") continue;
      shared_object_ = folder_ / file;
      base = name.substr(0, name.size() - std::strlen(".so"));
    }
    if (base.empty())
      throw std::runtime_error("archive: expected an AOTInductor model below " +
                               std::string(contents) + ", got none; write it with hybrid.export");
    const auto [data, size] = reader.getRecord(base + "_metadata.json");
    read_metadata(std::string(static_cast<const char *>(data.get()), size));
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

Package::~Package() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void Package::read_metadata(const std::string &text) {
  const auto metadata = nlohmann::json::parse(text);
  device_ = metadata.value("AOTI_DEVICE_KEY", "");
  machine_ = metadata.value("AOTI_MACHINE", "");
  instructions_ = metadata.value("AOTI_CPU_ISA", "");
}

void Package::check_processor() const {
  utsname here;
  if (uname(&here) != 0) here.machine[0] = '\0';
  if (machine_ == here.machine && processor_has(instructions_)) return;
  throw std::runtime_error("archive: expected a processor with what it was compiled for (" +
                           machine_ + ' ' + instructions_ + "), got another (" + here.machine +
                           "); export the closure on a machine like this one, or as TorchScript "
                           "(.pt), which runs on any");
}

}  // namespace hybrid_torch
