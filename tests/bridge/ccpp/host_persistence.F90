!> A host of a stateful, stochastic closure, which owns the state. Arguments: archive, number of
!> chunks, whether to restart ('T' or 'F') in the middle, through a file.
program host_persistence
  use ccpp_kinds, only: kind_phys
  use persistence, only: persistence_final, persistence_init, persistence_run
  implicit none (type, external)

  integer, parameter :: n_column = 10, n_level = 5, n_step = 6, seed = 42
  real(kind_phys) :: x(n_column), x_tendency(n_column), memory(n_column, n_level)
  integer :: column_id(n_column), n_chunk, chunk, step, code, i, restart_file
  character(len=1024) :: archive, word
  character(len=512) :: message
  logical :: restart

  call get_command_argument(1, archive)
  call get_command_argument(2, word)
  read (word, *) n_chunk
  call get_command_argument(3, word)
  read (word, *) restart

  column_id = [(100 + 3*i, i=1, n_column)]
  x = [(0.1_kind_phys*i, i=1, n_column)]
  memory = 0
  call start()
  do step = 1, n_step
    do chunk = 1, n_chunk
      call cap((chunk - 1)*n_column/n_chunk + 1, chunk*n_column/n_chunk)
    end do
    if (restart .and. step == n_step/2) call through_a_file()
  end do
  write (*, '(*(es24.16))') x_tendency, memory

contains

  subroutine start()
    call persistence_init(trim(archive), seed, n_level, message, code)
    if (code /= 0) error stop message
  end subroutine start

  subroutine cap(col_start, col_end)
    integer, intent(in) :: col_start, col_end
    call persistence_run(n_column=col_end - col_start + 1, step=step, &
                         column_id=column_id(col_start:col_end), x=x(col_start:col_end), &
                         memory=memory(col_start:col_end, 1:n_level), &
                         x_tendency=x_tendency(col_start:col_end), errmsg=message, errflg=code)
    if (code /= 0) error stop message
  end subroutine cap

  subroutine through_a_file()
    open (newunit=restart_file, file='restart.bin', form='unformatted', access='stream')
    write (restart_file) memory
    memory = -999
    call persistence_final(message, code)
    if (code /= 0) error stop message
    call start()
    rewind (restart_file)
    read (restart_file) memory
    close (restart_file)
  end subroutine through_a_file

end program host_persistence
