!> A host with two chunks of columns, whose caps pass sections of arrays that are larger on every
!> side: nothing is contiguous. Argument: archive. Columns come from standard input.
program host_column_network
  use ccpp_kinds, only: kind_phys
  use column_network, only: column_network_final, column_network_init, column_network_run
  implicit none (type, external)

  integer, parameter :: n_column = 11, n_level = 5, first = 3, last = first + n_column - 1
  integer, parameter :: begins(2) = [first, first + 7], ends(2) = [first + 6, last]
  real(kind_phys), parameter :: unset = -999.0_kind_phys
  real(kind_phys) :: temperature(n_column + 4, n_level + 1), pressure(n_column + 4)
  real(kind_phys) :: heating(n_column + 4, n_level + 1), rain(n_column + 4)
  character(len=1024) :: archive
  character(len=512) :: message
  integer :: code, column, chunk

  call get_command_argument(1, archive)
  temperature = unset
  pressure = unset
  heating = unset
  rain = unset
  do column = first, last
    read (*, *) temperature(column, :n_level), pressure(column)
  end do

  call column_network_init(trim(archive), n_level + 1, message, code)
  if (index(message, 'column_network: expected 5 along level, got 6; regrid') /= 1) then
    error stop 'a host with other levels was accepted'
  end if
  call cap(1, message, code)
  if (index(message, 'expected a loaded closure') == 0) error stop 'ran without a closure'
  if (any(abs(heating(begins(1):ends(1), :n_level)) > 0)) error stop 'outputs of a failed run'

  call column_network_init(trim(archive), n_level, message, code)
  call check(message, code)
  call column_network_init('a second call changes nothing', n_level, message, code)
  call check(message, code)
  !$omp parallel do num_threads(2) private(code, message)
  do chunk = 1, 2
    call cap(chunk, message, code)
    call check(message, code)
  end do
  !$omp end parallel do
  do column = first, last
    write (*, '(*(es24.16))') heating(column, :n_level), rain(column)
  end do
  heating(first:last, :n_level) = unset
  rain(first:last) = unset
  if (any(abs(heating - unset) > 0) .or. any(abs(rain - unset) > 0)) error stop 'wrote elsewhere'
  call column_network_final(message, code)
  call check(message, code)

contains

  subroutine cap(chunk, errmsg, errflg)
    integer, intent(in) :: chunk
    character(len=*), intent(out) :: errmsg
    integer, intent(out) :: errflg
    integer :: col_start, col_end
    col_start = begins(chunk)
    col_end = ends(chunk)
    call column_network_run(n_column=col_end - col_start + 1, &
                            state_t=temperature(col_start:col_end, 1:n_level), &
                            state_ps=pressure(col_start:col_end), &
                            ptend_t=heating(col_start:col_end, 1:n_level), &
                            precipitation=rain(col_start:col_end), &
                            errmsg=errmsg, errflg=errflg)
  end subroutine cap

  subroutine check(errmsg, errflg)
    character(len=*), intent(in) :: errmsg
    integer, intent(in) :: errflg
    if (errflg /= 0) error stop errmsg
  end subroutine check

end program host_column_network
