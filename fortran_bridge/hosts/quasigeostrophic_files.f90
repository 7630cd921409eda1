! The files of the two-layer host: where it starts, and q(time, member, layer, y, x).

module quasigeostrophic_files
  use, intrinsic :: iso_fortran_env, only: real64
  use netcdf, only: nf90_64bit_offset, nf90_clobber, nf90_close, nf90_create, nf90_def_dim, &
    nf90_def_var, nf90_double, nf90_enddef, nf90_get_var, nf90_global, nf90_inq_varid, &
    nf90_inquire_dimension, nf90_inquire_variable, nf90_noerr, nf90_nowrite, nf90_open, &
    nf90_put_att, nf90_put_var, nf90_strerror
  use quasigeostrophic_settings, only: fail, settings_t
  implicit none(type, external)
  private
  public :: output_t, read_q

  !> An output file that is open for writing.
  type :: output_t
    private
    integer :: file = 0, q_id = 0, time_id = 0
    integer :: n_record = 0
  contains
    procedure :: create => create_output
    procedure :: write_record
    procedure :: close => close_output
  end type output_t

contains

  !> Read q(member, layer, y, x), here (x, y, layer, member) [s-1].
  subroutine read_q(path, q)
    character(len=*), intent(in) :: path
    real(real64), allocatable, intent(out) :: q(:, :, :, :)
    integer :: file, id, n_dim, dims(4), sizes(4), i

    call check(nf90_open(path, nf90_nowrite, file), path)
    call check(nf90_inq_varid(file, 'q', id), path//': variable q')
    call check(nf90_inquire_variable(file, id, ndims=n_dim), path)
    if (n_dim /= 4) call fail(path//': q: expected dimensions (member, layer, y, x)')
    call check(nf90_inquire_variable(file, id, dimids=dims), path)
    do i = 1, 4
      call check(nf90_inquire_dimension(file, dims(i), len=sizes(i)), path)
    end do
    allocate (q(sizes(1), sizes(2), sizes(3), sizes(4)))
    call check(nf90_get_var(file, id, q), path//': q')
    call check(nf90_close(file), path)
  end subroutine read_q

  !> Define the output file for `n_record` states like q(x, y, layer, member).
  subroutine create_output(self, settings, q, n_record)
    class(output_t), intent(inout) :: self
    type(settings_t), intent(in) :: settings
    real(real64), intent(in) :: q(:, :, :, :)
    integer, intent(in) :: n_record
    character(len=*), parameter :: names(4) = [character(len=6) :: 'x', 'y', 'layer', 'member']
    character(len=:), allocatable :: path
    integer :: dims(5), ids(2), i

    path = trim(settings%output_file)
    self%n_record = 0
    call check(nf90_create(path, ior(nf90_clobber, nf90_64bit_offset), self%file), path)
    do i = 1, 4
      call check(nf90_def_dim(self%file, trim(names(i)), size(q, i), dims(i)), path)
    end do
    call check(nf90_def_dim(self%file, 'time', n_record, dims(5)), path)
    do i = 1, 2
      call check(nf90_def_var(self%file, trim(names(i)), nf90_double, dims(i:i), ids(i)), path)
      call put_text(self%file, ids(i), 'units', 'm')
    end do
    call check(nf90_def_var(self%file, 'time', nf90_double, dims(5:5), self%time_id), path)
    call check(nf90_def_var(self%file, 'q', nf90_double, dims, self%q_id), path)
    call put_text(self%file, self%time_id, 'long_name', 'time since the start')
    call put_text(self%file, self%time_id, 'units', 's')
    call put_text(self%file, self%q_id, 'units', 's-1')
    call put_text(self%file, self%q_id, 'long_name', &
      'potential vorticity, departure from the mean flow')
    call put_run_attributes(self%file, settings)
    call check(nf90_enddef(self%file), path)
    associate (p => settings%physics)
      call put_positions(self%file, ids(1), p%length_x, size(q, 1))
      call put_positions(self%file, ids(2), p%length_y, size(q, 2))
    end associate
  end subroutine create_output

  !> Append q(x, y, layer, member) at `time` [s].
  subroutine write_record(self, time, q)
    class(output_t), intent(inout) :: self
    real(real64), intent(in) :: time
    real(real64), intent(in) :: q(:, :, :, :)
    self%n_record = self%n_record + 1
    call check(nf90_put_var(self%file, self%time_id, time, start=[self%n_record]), 'time')
    call check(nf90_put_var(self%file, self%q_id, q, start=[1, 1, 1, 1, self%n_record], &
      count=[shape(q), 1]), 'q')
  end subroutine write_record

  subroutine close_output(self)
    class(output_t), intent(inout) :: self
    call check(nf90_close(self%file), 'closing the output file')
  end subroutine close_output

  !> Which run the file comes from.
  subroutine put_run_attributes(file, settings)
    integer, intent(in) :: file
    type(settings_t), intent(in) :: settings
    character(len=24) :: seed

    write (seed, '(i0)') settings%seed
    call put_text(file, nf90_global, 'source', 'hybrid-quasigeostrophic-host')
    call put_text(file, nf90_global, 'archive', trim(settings%archive))
    call put_text(file, nf90_global, 'engine', trim(settings%engine))
    call put_text(file, nf90_global, 'seed', trim(seed))
    associate (p => settings%physics)
      call put_number(file, 'dt', p%dt)
      call put_number(file, 'beta', p%beta)
      call put_number(file, 'deformation_radius', p%deformation_radius)
      call put_number(file, 'delta', p%delta)
      call put_number(file, 'u1', p%u1)
      call put_number(file, 'u2', p%u2)
      call put_number(file, 'bottom_drag', p%bottom_drag)
      call put_text(file, nf90_global, 'filter', trim(merge('true ', 'false', p%filter)))
    end associate
  end subroutine put_run_attributes

  !> Positions of `n` points along a side of the domain.
  subroutine put_positions(file, id, length, n)
    integer, intent(in) :: file, id, n
    real(real64), intent(in) :: length
    integer :: i
    call check(nf90_put_var(file, id, length/n*[(i, i=0, n - 1)]), 'positions')
  end subroutine put_positions

  subroutine put_number(file, name, value)
    integer, intent(in) :: file
    character(len=*), intent(in) :: name
    real(real64), intent(in) :: value
    call check(nf90_put_att(file, nf90_global, name, value), name)
  end subroutine put_number

  subroutine put_text(file, id, name, text)
    integer, intent(in) :: file, id
    character(len=*), intent(in) :: name, text
    call check(nf90_put_att(file, id, name, text), name)
  end subroutine put_text

  !> End the program with netCDF's message about `what`, if there is one.
  subroutine check(stat, what)
    integer, intent(in) :: stat
    character(len=*), intent(in) :: what
    if (stat /= nf90_noerr) call fail(what//': '//trim(nf90_strerror(stat)))
  end subroutine check

end module quasigeostrophic_files
