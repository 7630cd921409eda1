!> Call a compiled closure from a Fortran model: all that a host uses.
module hybrid
  use hybrid_binding, only: binding_t
  use hybrid_c_abi, only: hybrid_error_archive, hybrid_error_argument, hybrid_error_engine, &
    hybrid_error_field, hybrid_error_file, hybrid_error_internal, hybrid_error_kind, &
    hybrid_error_order, hybrid_error_shape, hybrid_error_units, hybrid_error_value
  use hybrid_c_abi, only: hybrid_above, hybrid_below, hybrid_not_confident, hybrid_not_finite, &
    hybrid_overflow, hybrid_reasons, hybrid_untouched
  use hybrid_c_abi, only: hybrid_log_info, hybrid_log_warning
  use hybrid_closure, only: closure_t
  use hybrid_log, only: log_procedure, log_to
  use hybrid_process, only: device_count, library_version, local_device, read_bytes
  implicit none
  private

  public :: binding_t, closure_t
  public :: device_count, library_version, local_device, log_procedure, log_to, read_bytes
  public :: hybrid_error_archive, hybrid_error_argument, hybrid_error_engine, &
    hybrid_error_field, hybrid_error_file, hybrid_error_internal, hybrid_error_kind, &
    hybrid_error_order, hybrid_error_shape, hybrid_error_units, hybrid_error_value
  public :: hybrid_above, hybrid_below, hybrid_not_confident, hybrid_not_finite, &
    hybrid_overflow, hybrid_reasons, hybrid_untouched
  public :: hybrid_log_info, hybrid_log_warning

end module hybrid
