! What the files of the Lorenz-96 host share: checked calls of netCDF, and attributes of a run.

module lorenz96_netcdf
  use netcdf, only: nf90_global, nf90_noerr, nf90_put_att, nf90_strerror
  use lorenz96_settings, only: fail, settings_t
  implicit none(type, external)
  private
  public :: check, put_run_attributes, put_text

contains

  !> End the program with netCDF's message about `what`, if there is one.
  subroutine check(stat, what)
    integer, intent(in) :: stat
    character(len=*), intent(in) :: what
    if (stat /= nf90_noerr) call fail(what//': '//trim(nf90_strerror(stat)))
  end subroutine check

  subroutine put_text(file, id, name, text)
    integer, intent(in) :: file, id
    character(len=*), intent(in) :: name, text
    call check(nf90_put_att(file, id, name, text), name)
  end subroutine put_text

  !> Which run the file comes from.
  subroutine put_run_attributes(file, settings)
    integer, intent(in) :: file
    type(settings_t), intent(in) :: settings
    character(len=24) :: seed

    call put_text(file, nf90_global, 'source', 'hybrid-lorenz96-host')
    call put_text(file, nf90_global, 'archive', trim(settings%archive))
    call put_text(file, nf90_global, 'engine', trim(settings%engine))
    call check(nf90_put_att(file, nf90_global, 'forcing', settings%forcing), 'forcing')
    call check(nf90_put_att(file, nf90_global, 'dt', settings%dt), 'dt')
    write (seed, '(i0)') settings%seed
    call put_text(file, nf90_global, 'seed', trim(seed))
  end subroutine put_run_attributes

end module lorenz96_netcdf
