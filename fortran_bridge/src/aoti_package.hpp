// The part of an archive that AOTInductor wrote: a shared object and what it needs beside it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace hybrid_torch {

// The package of an archive, unfolded into a private folder below $TMPDIR. The folder goes with
// this object; what has been opened from it lives on.
class Package {
 public:
  Package(const void *bytes, size_t n_bytes);
  ~Package();
  Package(const Package &) = delete;
  Package &operator=(const Package &) = delete;

  const std::filesystem::path &folder() const { return folder_; }
  const std::filesystem::path &shared_object() const { return shared_object_; }
  // Kind of device that it was compiled for, "cpu" or "cuda".
  const std::string &device() const { return device_; }

  // Throws unless this processor has the instructions that it was compiled with.
  void check_processor() const;

 private:
  void read_metadata(const std::string &text);

  std::filesystem::path folder_;
  std::filesystem::path shared_object_;
  std::string device_;
  std::string machine_;
  std::string instructions_;
};

}  // namespace hybrid_torch
