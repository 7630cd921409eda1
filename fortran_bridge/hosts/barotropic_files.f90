! The files of the barotropic host: where it starts, and vorticity(time, member, y, x).

module barotropic_files
  use, intrinsic :: iso_fortran_env, only: real64
  use netcdf, only: nf90_64bit_offset, nf90_clobber, nf90_close, nf90_create, nf90_def_dim, &
    nf90_def_var, nf90_double, nf90_enddef, nf90_get_var, nf90_global, nf90_inq_varid, &
    nf90_inquire_dimension, nf90_inquire_variable, nf90_noerr, nf90_nowrite, nf90_open, &
    nf90_put_att, nf90_put_var, nf90_strerror
  use barotropic_settings, only: fail, settings_t
  use barotropic_waves, only: waves_t
  implicit none(type, external)
  private
  public :: output_t, read_vorticity

  !> An output file that is open for writing.
  type :: output_t
    private
    integer :: file = 0, vorticity_id = 0, time_id = 0
    integer :: n_record = 0
  contains
    procedure :: create => create_output
    procedure :: write_record
    procedure :: close => close_output
  end type output_t

contains

  !> Read vorticity(member, y, x), here (x, y, member).
  subroutine read_vorticity(path, vorticity)
    character(len=*), intent(in) :: path
    real(real64), allocatable, intent(out) :: vorticity(:, :, :)
    integer :: file, id, n_dim, dims(3), sizes(3), i

    call check(nf90_open(path, nf90_nowrite, file), path)
    call check(nf90_inq_varid(file, 'vorticity', id), path//': variable vorticity')
    call check(nf90_inquire_variable(file, id, ndims=n_dim), path)
    if (n_dim /= 3) call fail(path//': vorticity: expected dimensions (member, y, x)')
    call check(nf90_inquire_variable(file, id, dimids=dims), path)
    do i = 1, 3
      call check(nf90_inquire_dimension(file, dims(i), len=sizes(i)), path)
    end do
    allocate (vorticity(sizes(1), sizes(2), sizes(3)))
    call check(nf90_get_var(file, id, vorticity), path//': vorticity')
    call check(nf90_close(file), path)
  end subroutine read_vorticity

  !> Define the output file for `n_record` states of `n_member` members.
  subroutine create_output(self, settings, waves, n_member, n_record)
    class(output_t), intent(inout) :: self
    type(settings_t), intent(in) :: settings
    type(waves_t), intent(in) :: waves
    integer, intent(in) :: n_member, n_record
    character(len=:), allocatable :: path
    integer :: dims(4), x_id, y_id, i

    path = trim(settings%output_file)
    self%n_record = 0
    call check(nf90_create(path, ior(nf90_clobber, nf90_64bit_offset), self%file), path)
    call check(nf90_def_dim(self%file, 'x', waves%n_x, dims(1)), path)
    call check(nf90_def_dim(self%file, 'y', waves%n_y, dims(2)), path)
    call check(nf90_def_dim(self%file, 'member', n_member, dims(3)), path)
    call check(nf90_def_dim(self%file, 'time', n_record, dims(4)), path)
    call check(nf90_def_var(self%file, 'x', nf90_double, dims(1:1), x_id), path)
    call check(nf90_def_var(self%file, 'y', nf90_double, dims(2:2), y_id), path)
    call check(nf90_def_var(self%file, 'time', nf90_double, dims(4:4), self%time_id), path)
    call check(nf90_def_var(self%file, 'vorticity', nf90_double, dims, self%vorticity_id), path)
    call put_text(self%file, x_id, 'units', '1')
    call put_text(self%file, y_id, 'units', '1')
    call put_text(self%file, self%time_id, 'units', '1')
    call put_text(self%file, self%vorticity_id, 'units', '1')
    call put_text(self%file, self%vorticity_id, 'long_name', 'relative vorticity')
    call put_run_attributes(self%file, settings)
    call check(nf90_enddef(self%file), path)
    call check(nf90_put_var(self%file, x_id, waves%dx*[(i, i=0, waves%n_x - 1)]), path//': x')
    call check(nf90_put_var(self%file, y_id, waves%dy*[(i, i=0, waves%n_y - 1)]), path//': y')
  end subroutine create_output

  !> Append the vorticity(x, y, member) at `time`.
  subroutine write_record(self, time, vorticity)
    class(output_t), intent(inout) :: self
    real(real64), intent(in) :: time
    real(real64), intent(in) :: vorticity(:, :, :)
    self%n_record = self%n_record + 1
    call check(nf90_put_var(self%file, self%time_id, time, start=[self%n_record]), 'time')
    call check(nf90_put_var(self%file, self%vorticity_id, vorticity, &
      start=[1, 1, 1, self%n_record], count=[shape(vorticity), 1]), 'vorticity')
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
    call put_text(file, nf90_global, 'source', 'hybrid-barotropic-host')
    call put_text(file, nf90_global, 'archive', trim(settings%archive))
    call put_text(file, nf90_global, 'engine', trim(settings%engine))
    call put_text(file, nf90_global, 'seed', trim(seed))
    associate (p => settings%physics)
      call put_number(file, 'dt', p%dt)
      call put_number(file, 'viscosity', p%viscosity)
      call put_number(file, 'drag', p%drag)
      call put_number(file, 'beta', p%beta)
      call put_number(file, 'hyperviscosity', p%hyperviscosity)
      call put_number(file, 'hyperviscosity_order', real(p%hyperviscosity_order, real64))
      call put_number(file, 'forcing_wavenumber', p%forcing_wavenumber)
      call put_number(file, 'forcing_amplitude', p%forcing_amplitude)
    end associate
  end subroutine put_run_attributes

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

end module barotropic_files
