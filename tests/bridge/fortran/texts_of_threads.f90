!> Threads that ask for texts of different lengths at the same time get the ones they asked for.
!> Argument: an archive with the inputs state_t [K] and state_ps [Pa].
program texts_of_threads
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  integer, parameter :: n_thread = 4, n_repeat = 4000
  type(closure_t) :: closure
  character(len=1024) :: archive
  integer :: i, n_wrong

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  n_wrong = 0
  !$omp parallel do num_threads(n_thread) schedule(static, 1) default(none) shared(closure) &
  !$omp reduction(+:n_wrong)
  do i = 1, n_repeat
    if (.not. all_right(closure, i)) n_wrong = n_wrong + 1
  end do
  !$omp end parallel do
  write (*, '(i0, a)') n_wrong, ' wrong texts'

contains

  logical function all_right(closure, i)
    type(closure_t), intent(in) :: closure
    integer, intent(in) :: i
    type(binding_t) :: columns
    character(len=8) :: name, units
    character(len=500) :: errmsg
    integer :: stat
    name = closure%field_name('inputs', 1 + mod(i, 2))
    units = closure%field_units(trim(name))
    if (mod(i, 2) == 0) then
      all_right = name == 'state_t' .and. units == 'K'
      call columns%create(closure, 1, policy='none of them', stat=stat, errmsg=errmsg)
      all_right = all_right .and. index(errmsg, "'none of them'") > 0
    else
      all_right = name == 'state_ps' .and. units == 'Pa'
      call columns%create(closure, 1, policy='host', stat=stat, errmsg=errmsg)
      all_right = all_right .and. stat == 0
    end if
  end function all_right

end program texts_of_threads
