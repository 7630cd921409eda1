!> A closure of two-layer flow in Fortran: linear drag on q, the first field.
module drag_closure
  use, intrinsic :: iso_c_binding, only: c_double, c_f_pointer, c_int, c_int64_t, c_ptr
  implicit none (type, external)
  private
  public :: drag

contains

  integer(c_int) function drag(context, step, stage, fields, tendency, sizes) bind(c)
    type(c_ptr), value :: context, fields, tendency
    integer(c_int64_t), value :: step, stage
    integer(c_int64_t), intent(in) :: sizes(7)
    real(c_double), pointer :: rate, q(:, :, :, :), q_tendency(:, :, :)

    call c_f_pointer(context, rate)
    call c_f_pointer(fields, q, [sizes(7), sizes(6), sizes(5), sizes(3)])
    call c_f_pointer(tendency, q_tendency, sizes(7:5:-1))
    q_tendency = -rate*q(:, :, :, 1)
    drag = merge(0_c_int, 1_c_int, sizes(1) == c_double .and. step >= 0 .and. stage == 0)
  end function drag

end module drag_closure
