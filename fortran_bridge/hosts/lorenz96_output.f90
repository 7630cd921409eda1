! The output file of the Lorenz-96 host: x(time, member, k).

module lorenz96_output
  use, intrinsic :: iso_fortran_env, only: real64
  use netcdf, only: nf90_64bit_offset, nf90_clobber, nf90_close, nf90_create, nf90_def_dim, &
    nf90_def_var, nf90_double, nf90_enddef, nf90_put_var
  use lorenz96_netcdf, only: check, put_run_attributes, put_text
  use lorenz96_settings, only: settings_t
  implicit none(type, external)
  private
  public :: output_t

  !> An output file that is open for writing.
  type :: output_t
    private
    integer :: file = 0, x_id = 0, time_id = 0, n_k = 0, n_member = 0
    integer :: n_record = 0
  contains
    procedure :: create => create_output
    procedure :: write_record
    procedure :: close => close_output
  end type output_t

contains

  !> Define the output file for `n_record` states of `n_member` members of `n_k` variables.
  subroutine create_output(self, settings, n_k, n_member, n_record)
    class(output_t), intent(inout) :: self
    type(settings_t), intent(in) :: settings
    integer, intent(in) :: n_k, n_member, n_record
    character(len=:), allocatable :: path
    integer :: k_dim, member_dim, time_dim

    path = trim(settings%output_file)
    call check(nf90_create(path, ior(nf90_clobber, nf90_64bit_offset), self%file), path)
    self%n_k = n_k
    self%n_member = n_member
    self%n_record = 0
    call check(nf90_def_dim(self%file, 'k', n_k, k_dim), path)
    call check(nf90_def_dim(self%file, 'member', n_member, member_dim), path)
    call check(nf90_def_dim(self%file, 'time', n_record, time_dim), path)
    call check(nf90_def_var(self%file, 'time', nf90_double, [time_dim], self%time_id), path)
    call check(nf90_def_var(self%file, 'x', nf90_double, [k_dim, member_dim, time_dim], &
      self%x_id), path)
    call put_text(self%file, self%time_id, 'units', '1')
    call put_text(self%file, self%time_id, 'long_name', 'time in Lorenz-96 time units')
    call put_text(self%file, self%x_id, 'units', '1')
    call put_text(self%file, self%x_id, 'long_name', 'slow variable of Lorenz-96')
    call put_run_attributes(self%file, settings)
    call check(nf90_enddef(self%file), path)
  end subroutine create_output

  !> Append the state `x` at `time`.
  subroutine write_record(self, time, x)
    class(output_t), intent(inout) :: self
    real(real64), intent(in) :: time
    real(real64), intent(in) :: x(:)
    self%n_record = self%n_record + 1
    call check(nf90_put_var(self%file, self%time_id, time, start=[self%n_record]), 'time')
    call check(nf90_put_var(self%file, self%x_id, reshape(x, [self%n_k, self%n_member]), &
      start=[1, 1, self%n_record], count=[self%n_k, self%n_member, 1]), 'x')
  end subroutine write_record

  subroutine close_output(self)
    class(output_t), intent(inout) :: self
    call check(nf90_close(self%file), 'closing the output file')
  end subroutine close_output

end module lorenz96_output
