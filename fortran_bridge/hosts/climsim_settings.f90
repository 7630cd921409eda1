! What the ClimSim column host is told: a namelist, and a list of files.

module climsim_settings
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, iostat_end, real64
  use climsim_ranks, only: abort_ranks
  implicit none(type, external)
  private
  public :: read_settings, settings_t, stop_with

  integer, parameter, public :: path_length = 4096

  !> Namelist `settings`, and the files of its list.
  type :: settings_t
    character(len=path_length) :: archive = ''    !< closure to load
    character(len=16) :: engine = 'auto'          !< engine of the bridge
    character(len=path_length) :: file_list = ''  !< two lines a pair: mli to read, mlo to write
    real(real64) :: timestep = 1200.0_real64      !< over which the tendencies act [s]
    integer(int64) :: seed = 0                    !< of a stochastic closure
    logical :: reproducible = .true.              !< results do not depend on the ranks
    character(len=path_length), allocatable :: inputs(:), outputs(:)
  end type settings_t

contains

  !> End the program, all ranks of it, with a message on stderr and exit status 1.
  subroutine stop_with(message)
    character(len=*), intent(in) :: message
    write (error_unit, '(2a)') 'climsim_host: ', trim(message)
    flush (error_unit)
    call abort_ranks()
  end subroutine stop_with

  !> Read the namelist of the file that the program's argument names, and the list of files.
  subroutine read_settings(self)
    type(settings_t), intent(out) :: self
    character(len=path_length) :: path, archive, file_list
    character(len=1024) :: errmsg
    character(len=16) :: engine
    integer(int64) :: seed
    integer :: unit, stat
    real(real64) :: timestep
    logical :: reproducible
    namelist /settings/ archive, engine, file_list, timestep, seed, reproducible
    archive = self%archive
    engine = self%engine
    file_list = self%file_list
    timestep = self%timestep
    seed = self%seed
    reproducible = self%reproducible
    if (command_argument_count() /= 1) call stop_with('expected one argument: the settings file')
    call get_command_argument(1, path)
    open (newunit=unit, file=trim(path), status='old', action='read', iostat=stat, iomsg=errmsg)
    if (stat /= 0) call stop_with(errmsg)
    read (unit, nml=settings, iostat=stat, iomsg=errmsg)
    if (stat /= 0) call stop_with(errmsg)
    close (unit)
    if (archive == '' .or. file_list == '') call stop_with( &
      trim(path)//': expected archive and file_list in namelist settings; set both')
    if (.not. timestep > 0.0_real64) call stop_with(trim(path)//': expected timestep > 0 [s]')
    self%archive = archive
    self%engine = engine
    self%file_list = file_list
    self%timestep = timestep
    self%seed = seed
    self%reproducible = reproducible
    call read_file_list(self)
  end subroutine read_settings

  subroutine read_file_list(self)
    type(settings_t), intent(inout) :: self
    character(len=path_length) :: line
    character(len=1024) :: errmsg
    integer :: unit, n_line, stat, i
    open (newunit=unit, file=trim(self%file_list), status='old', action='read', iostat=stat, &
      iomsg=errmsg)
    if (stat /= 0) call stop_with(errmsg)
    n_line = 0
    do
      read (unit, '(a)', iostat=stat, iomsg=errmsg) line
      if (stat == iostat_end) exit
      if (stat /= 0) call stop_with(errmsg)
      n_line = n_line + 1
    end do
    if (n_line == 0 .or. mod(n_line, 2) /= 0) call stop_with( &
      trim(self%file_list)//': expected two lines a pair, the mli file and the mlo file')
    allocate (self%inputs(n_line/2), self%outputs(n_line/2))
    rewind (unit)
    do i = 1, n_line/2
      read (unit, '(a)') self%inputs(i)
      read (unit, '(a)') self%outputs(i)
    end do
    close (unit)
  end subroutine read_file_list

end module climsim_settings
