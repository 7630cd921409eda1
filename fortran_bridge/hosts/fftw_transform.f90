! Fourier transforms of fields on a doubly periodic grid, by FFTW 3.

module fftw_transform
  use, intrinsic :: iso_c_binding, only: c_associated, c_int, c_loc, c_null_ptr, c_ptr
  use, intrinsic :: iso_fortran_env, only: real64
  implicit none(type, external)
  private
  public :: transform_t

  !> FFTW_ESTIMATE of fftw3.h. Plans chosen by measurement may differ from run to run, and rounding
  !> with them.
  integer(c_int), parameter :: estimate = 64_c_int

  !> Transforms of one shape of grid. A field is field(x, y), its spectrum spectrum(k, l),
  !> unnormalised: waves 0 to n_x/2 along x, and along y 0 to n_y/2 - 1, then -n_y/2 to -1. Plans
  !> know the addresses of the arrays inside: do not assign a variable of this type.
  type :: transform_t
    private
    integer :: n_x = 0, n_y = 0
    real(real64), pointer, contiguous :: field(:, :) => null()
    complex(real64), pointer, contiguous :: spectrum(:, :) => null()
    type(c_ptr) :: forward = c_null_ptr, backward = c_null_ptr
  contains
    procedure :: create => create_transform
    procedure :: to_spectrum
    procedure :: to_grid
    procedure :: free => free_transform
  end type transform_t

  interface

    !> A plan from real in(n1, n0) to complex out(n1/2 + 1, n0), in Fortran's order of dimensions.
    function fftw_plan_dft_r2c_2d(n0, n1, in, out, flags) result(plan) bind(c)
      import :: c_int, c_ptr
      implicit none(type, external)
      integer(c_int), value, intent(in) :: n0, n1, flags
      type(c_ptr), value, intent(in) :: in, out
      type(c_ptr) :: plan
    end function fftw_plan_dft_r2c_2d

    !> The way back, which destroys its input.
    function fftw_plan_dft_c2r_2d(n0, n1, in, out, flags) result(plan) bind(c)
      import :: c_int, c_ptr
      implicit none(type, external)
      integer(c_int), value, intent(in) :: n0, n1, flags
      type(c_ptr), value, intent(in) :: in, out
      type(c_ptr) :: plan
    end function fftw_plan_dft_c2r_2d

    subroutine fftw_execute(plan) bind(c)
      import :: c_ptr
      implicit none(type, external)
      type(c_ptr), value, intent(in) :: plan
    end subroutine fftw_execute

    subroutine fftw_destroy_plan(plan) bind(c)
      import :: c_ptr
      implicit none(type, external)
      type(c_ptr), value, intent(in) :: plan
    end subroutine fftw_destroy_plan

  end interface

contains

  !> Prepare for fields of n_x by n_y points, n_x even.
  subroutine create_transform(self, n_x, n_y, stat, errmsg)
    class(transform_t), intent(inout) :: self
    integer, intent(in) :: n_x, n_y
    integer, intent(out) :: stat
    character(len=*), intent(inout) :: errmsg

    call self%free()
    self%n_x = n_x
    self%n_y = n_y
    allocate (self%field(n_x, n_y), self%spectrum(n_x/2 + 1, n_y))
    self%forward = fftw_plan_dft_r2c_2d(int(n_y, c_int), int(n_x, c_int), c_loc(self%field), &
      c_loc(self%spectrum), estimate)
    self%backward = fftw_plan_dft_c2r_2d(int(n_y, c_int), int(n_x, c_int), &
      c_loc(self%spectrum), c_loc(self%field), estimate)
    stat = 0
    if (c_associated(self%forward) .and. c_associated(self%backward)) return
    stat = 1
    write (errmsg, '(2(a, i0))') 'transform: expected plans of FFTW, got none for ', n_x, ' x ', n_y
  end subroutine create_transform

  !> Sums of a field times exp(-i (k x + l y)).
  subroutine to_spectrum(self, field, spectrum)
    class(transform_t), intent(inout) :: self
    real(real64), intent(in) :: field(:, :)
    complex(real64), intent(out) :: spectrum(:, :)

    self%field = field
    call fftw_execute(self%forward)
    spectrum = self%spectrum
  end subroutine to_spectrum

  !> The field of a spectrum.
  subroutine to_grid(self, spectrum, field)
    class(transform_t), intent(inout) :: self
    complex(real64), intent(in) :: spectrum(:, :)
    real(real64), intent(out) :: field(:, :)

    self%spectrum = spectrum/(real(self%n_x, real64)*self%n_y)
    call fftw_execute(self%backward)
    field = self%field
  end subroutine to_grid

  !> Release plans and arrays.
  subroutine free_transform(self)
    class(transform_t), intent(inout) :: self

    if (c_associated(self%forward)) call fftw_destroy_plan(self%forward)
    if (c_associated(self%backward)) call fftw_destroy_plan(self%backward)
    self%forward = c_null_ptr
    self%backward = c_null_ptr
    if (.not. associated(self%field)) return
    deallocate (self%field, self%spectrum)
    nullify (self%field, self%spectrum)
  end subroutine free_transform

end module fftw_transform
