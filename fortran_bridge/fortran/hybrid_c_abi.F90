!> The functions of hybrid.h that the module calls, and its numbers. Their documentation is there.
module hybrid_c_abi
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_funptr, c_int, c_int64_t, c_ptr, &
    c_signed_char, c_size_t
  implicit none
  private

  public :: c_text_length

  public :: hybrid_device_count, hybrid_last_error, hybrid_local_device, hybrid_log_to, &
    hybrid_version
  public :: hybrid_closure_describe, hybrid_closure_field_count, hybrid_closure_field_name, &
    hybrid_closure_field_size, hybrid_closure_field_units, hybrid_closure_free, &
    hybrid_closure_load_memory_precision, hybrid_closure_load_precision, &
    hybrid_closure_manifest, hybrid_closure_retain
  public :: hybrid_binding_apply, hybrid_binding_bind, hybrid_binding_chunk, &
    hybrid_binding_commit, hybrid_binding_counts, hybrid_binding_create, &
    hybrid_binding_create_grid, hybrid_binding_differences, hybrid_binding_free, &
    hybrid_binding_get, hybrid_binding_mask, hybrid_binding_partial, hybrid_binding_put, &
    hybrid_binding_ramp, hybrid_binding_retain, hybrid_binding_run, hybrid_binding_state_get, &
    hybrid_binding_state_set, hybrid_binding_summary, hybrid_binding_threshold, &
    hybrid_binding_timers

  !> Values of `stat`; 0 is success.
  integer, parameter, public :: &
    hybrid_error_file = 1, &      !< missing or unreadable file
    hybrid_error_archive = 2, &   !< not an archive, damaged, or of a newer format
    hybrid_error_engine = 3, &    !< engine not found, or it failed
    hybrid_error_field = 4, &     !< unknown, repeated or missing field
    hybrid_error_units = 5, &     !< units that do not convert
    hybrid_error_shape = 6, &     !< wrong rank, dims or size
    hybrid_error_kind = 7, &      !< number kind not supported
    hybrid_error_order = 8, &     !< calls in the wrong order
    hybrid_error_value = 9, &     !< non-finite values
    hybrid_error_argument = 10, & !< unknown option, negative size
    hybrid_error_internal = 11    !< a defect of the library

  !> Why the guard flagged a column: bits of `reasons`, for btest, and one less than subscripts of
  !> `flagged` of `counts`.
  integer, parameter, public :: &
    hybrid_not_finite = 0, &      !< NaN or infinity in an input or a result
    hybrid_below = 1, &           !< below valid_min of the field
    hybrid_above = 2, &           !< above valid_max of the field
    hybrid_overflow = 3, &        !< a result that the array cannot hold in its units and kind
    hybrid_not_confident = 4, &   !< a confidence output below the threshold
    hybrid_reasons = 5, &         !< how many reasons there are
    hybrid_untouched = 7          !< bit alone: nothing of the column was written

  !> Levels of messages, see `log_to`.
  integer, parameter, public :: hybrid_log_info = 1, hybrid_log_warning = 2

  interface
    integer(c_int) function hybrid_device_count(engine, kind, count) bind(c)
      import :: c_char, c_int
      character(kind=c_char), intent(in) :: engine(*), kind(*)
      integer(c_int), intent(out) :: count
    end function hybrid_device_count
    pure type(c_ptr) function hybrid_last_error() bind(c)
      import :: c_ptr
    end function hybrid_last_error
    integer(c_int) function hybrid_local_device(kind, count, device, size) bind(c)
      import :: c_char, c_int
      character(kind=c_char), intent(in) :: kind(*)
      integer(c_int), value, intent(in) :: count, size
      character(kind=c_char), intent(out) :: device(*)
    end function hybrid_local_device
    subroutine hybrid_log_to(function, context) bind(c)
      import :: c_funptr, c_ptr
      type(c_funptr), value, intent(in) :: function
      type(c_ptr), value, intent(in) :: context
    end subroutine hybrid_log_to
    pure type(c_ptr) function hybrid_version() bind(c)
      import :: c_ptr
    end function hybrid_version
    pure integer(c_size_t) function c_text_length(text) bind(c, name='strlen')
      import :: c_ptr, c_size_t
      type(c_ptr), value, intent(in) :: text
    end function c_text_length
  end interface

  interface
    integer(c_int) function hybrid_closure_load_precision(path, engine, device, n_thread, &
                                                          precision, closure) bind(c)
      import :: c_char, c_int, c_ptr
      character(kind=c_char), intent(in) :: path(*), engine(*), device(*), precision(*)
      integer(c_int), value, intent(in) :: n_thread
      type(c_ptr), intent(inout) :: closure
    end function hybrid_closure_load_precision
    integer(c_int) function hybrid_closure_load_memory_precision(bytes, n_bytes, label, engine, &
                                                                 device, n_thread, precision, &
                                                                 closure) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: bytes
      integer(c_int64_t), value, intent(in) :: n_bytes
      character(kind=c_char), intent(in) :: label(*), engine(*), device(*), precision(*)
      integer(c_int), value, intent(in) :: n_thread
      type(c_ptr), intent(inout) :: closure
    end function hybrid_closure_load_memory_precision
    integer(c_int) function hybrid_closure_retain(closure) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value, intent(in) :: closure
    end function hybrid_closure_retain
    subroutine hybrid_closure_free(closure) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: closure
    end subroutine hybrid_closure_free
    pure type(c_ptr) function hybrid_closure_manifest(closure) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: closure
    end function hybrid_closure_manifest
    pure type(c_ptr) function hybrid_closure_describe(closure) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: closure
    end function hybrid_closure_describe
    integer(c_int) function hybrid_closure_field_count(closure, group) bind(c)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value, intent(in) :: closure
      character(kind=c_char), intent(in) :: group(*)
    end function hybrid_closure_field_count
    pure type(c_ptr) function hybrid_closure_field_name(closure, group, index) bind(c)
      import :: c_char, c_int, c_ptr
      type(c_ptr), value, intent(in) :: closure
      character(kind=c_char), intent(in) :: group(*)
      integer(c_int), value, intent(in) :: index
    end function hybrid_closure_field_name
    pure type(c_ptr) function hybrid_closure_field_units(closure, name) bind(c)
      import :: c_char, c_ptr
      type(c_ptr), value, intent(in) :: closure
      character(kind=c_char), intent(in) :: name(*)
    end function hybrid_closure_field_units
    integer(c_int64_t) function hybrid_closure_field_size(closure, name) bind(c)
      import :: c_char, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: closure
      character(kind=c_char), intent(in) :: name(*)
    end function hybrid_closure_field_size
  end interface

  interface
    integer(c_int) function hybrid_binding_create(closure, n_column, column_id, seed, &
                                                  reproducible, policy, binding) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: closure, column_id
      integer(c_int64_t), value, intent(in) :: n_column, seed
      integer(c_int), value, intent(in) :: reproducible
      character(kind=c_char), intent(in) :: policy(*)
      type(c_ptr), intent(inout) :: binding
    end function hybrid_binding_create
    integer(c_int) function hybrid_binding_create_grid(closure, n_member, member_id, dims, sizes, &
                                                       spacing, boundary, seed, reproducible, &
                                                       policy, binding) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: closure, member_id
      integer(c_int64_t), value, intent(in) :: n_member, seed
      character(kind=c_char), intent(in) :: dims(*), boundary(*), policy(*)
      integer(c_int64_t), intent(in) :: sizes(*)
      real(c_double), intent(in) :: spacing(*)
      integer(c_int), value, intent(in) :: reproducible
      type(c_ptr), intent(inout) :: binding
    end function hybrid_binding_create_grid
    integer(c_int) function hybrid_binding_retain(binding) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value, intent(in) :: binding
    end function hybrid_binding_retain
    subroutine hybrid_binding_free(binding) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: binding
    end subroutine hybrid_binding_free
  end interface

  interface
    integer(c_int) function hybrid_binding_bind(binding, name, data, kind, rank, shape, stride, &
                                                dims, units, accumulate) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, data
      character(kind=c_char), intent(in) :: name(*), dims(*), units(*)
      integer(c_int), value, intent(in) :: kind, rank, accumulate
      integer(c_int64_t), intent(in) :: shape(*), stride(*)
    end function hybrid_binding_bind
    integer(c_int) function hybrid_binding_put(binding, name, data, kind, rank, shape, stride, &
                                               dims, units) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, data
      character(kind=c_char), intent(in) :: name(*), dims(*), units(*)
      integer(c_int), value, intent(in) :: kind, rank
      integer(c_int64_t), intent(in) :: shape(*), stride(*)
    end function hybrid_binding_put
    integer(c_int) function hybrid_binding_get(binding, name, data, kind, rank, shape, stride, &
                                               dims, units, accumulate) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, data
      character(kind=c_char), intent(in) :: name(*), dims(*), units(*)
      integer(c_int), value, intent(in) :: kind, rank, accumulate
      integer(c_int64_t), intent(in) :: shape(*), stride(*)
    end function hybrid_binding_get
    integer(c_int) function hybrid_binding_run(binding, step) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      integer(c_int64_t), value, intent(in) :: step
    end function hybrid_binding_run
    integer(c_int) function hybrid_binding_apply(binding, step) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      integer(c_int64_t), value, intent(in) :: step
    end function hybrid_binding_apply
    integer(c_int) function hybrid_binding_chunk(binding, n_column, column_id) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, column_id
      integer(c_int64_t), value, intent(in) :: n_column
    end function hybrid_binding_chunk
    integer(c_int) function hybrid_binding_commit(binding) bind(c)
      import :: c_int, c_ptr
      type(c_ptr), value, intent(in) :: binding
    end function hybrid_binding_commit
  end interface

  interface
    integer(c_int) function hybrid_binding_mask(binding, mask, n) bind(c)
      import :: c_int, c_int64_t, c_ptr, c_signed_char
      type(c_ptr), value, intent(in) :: binding
      integer(c_signed_char), intent(inout) :: mask(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_mask
    integer(c_int) function hybrid_binding_threshold(binding, threshold) bind(c)
      import :: c_double, c_int, c_ptr
      type(c_ptr), value, intent(in) :: binding
      real(c_double), value, intent(in) :: threshold
    end function hybrid_binding_threshold
    integer(c_int) function hybrid_binding_counts(binding, name, evaluated, counts) bind(c)
      import :: c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, name
      integer(c_int64_t), intent(inout) :: evaluated, counts(*)
    end function hybrid_binding_counts
    ! Pure to the compiler, which allows it in the length of a result. It does rewrite the text it
    ! returns, but with the same counts it is the same text at the same address, so nothing changes
    ! if a call is left out or made twice; the binding is used by one thread at a time.
    pure type(c_ptr) function hybrid_binding_summary(binding) bind(c)
      import :: c_ptr
      type(c_ptr), value, intent(in) :: binding
    end function hybrid_binding_summary
    integer(c_int) function hybrid_binding_timers(binding, n_run, packing, engine, &
                                                  unpacking) bind(c)
      import :: c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      integer(c_int64_t), intent(inout) :: n_run
      real(c_double), intent(inout) :: packing, engine, unpacking
    end function hybrid_binding_timers
    integer(c_int) function hybrid_binding_ramp(binding, name, from, to, first, last) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), value, intent(in) :: from, to
      integer(c_int64_t), value, intent(in) :: first, last
    end function hybrid_binding_ramp
    integer(c_int) function hybrid_binding_partial(binding, name, element, n_element, column, &
                                                   n_column) bind(c)
      import :: c_char, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding, element, column
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), value, intent(in) :: n_element, n_column
    end function hybrid_binding_partial
    integer(c_int) function hybrid_binding_differences(binding, name, count, mean, rms, largest, &
                                                       n) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int64_t), intent(inout) :: count(*)
      real(c_double), intent(inout) :: mean(*), rms(*), largest(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_differences
    integer(c_int) function hybrid_binding_state_get(binding, name, values, n) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(inout) :: values(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_state_get
    integer(c_int) function hybrid_binding_state_set(binding, name, values, n) bind(c)
      import :: c_char, c_double, c_int, c_int64_t, c_ptr
      type(c_ptr), value, intent(in) :: binding
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(in) :: values(*)
      integer(c_int64_t), value, intent(in) :: n
    end function hybrid_binding_state_set
  end interface

end module hybrid_c_abi
