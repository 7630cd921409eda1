!> Chunks of another size, the last one smaller, give what all columns at once give. Argument: the
!> archive of y = x + shock.
program chunk
  use, intrinsic :: iso_fortran_env, only: int64, real64
  use hybrid, only: binding_t, closure_t, hybrid_reasons
  implicit none (type, external)

  integer, parameter :: n_column = 17, size_of_chunk = 7
  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real64) :: x(n_column), whole(n_column), parts(n_column), counted(n_column)
  integer(int64) :: number(n_column), evaluated, flagged(hybrid_reasons)
  character(len=1024) :: archive
  integer :: first, last, step

  call get_command_argument(1, archive)
  call closure%load(trim(archive))
  number = [(1000_int64 + 3*first, first=1, n_column)]
  x = [(0.1_real64*first, first=1, n_column)]
  call columns%create(closure, n_column, column_id=number, seed=11_int64)
  call columns%put('x', x, dims='column', units='1')
  call columns%apply(2)
  call columns%get('y', whole, dims='column', units='1')

  call columns%create(closure, size_of_chunk, seed=11_int64)
  parts = 0.0_real64
  do step = 1, 2
    do first = 1, n_column, size_of_chunk
      last = min(first + size_of_chunk - 1, n_column)
      call columns%chunk(last - first + 1, column_id=number(first:last))
      call columns%put('x', x(first:last), dims='column', units='1')
      call columns%apply(step)
      call columns%get('y', parts(first:last), dims='column', units='1')
    end do
  end do
  if (any(abs(parts - whole) > 0.0_real64)) error stop 'chunks differ from all at once'
  call columns%counts(evaluated, flagged)
  if (evaluated /= 2*n_column) error stop 'counts do not go on'

  ! Without numbers, each chunk counts from 1.
  call columns%chunk(2)
  call columns%put('x', x(:2), dims='column', units='1')
  call columns%apply(2)
  call columns%get('y', counted(:2), dims='column', units='1')
  call columns%create(closure, 2, column_id=[1_int64, 2_int64], seed=11_int64)
  call columns%put('x', x(:2), dims='column', units='1')
  call columns%apply(2)
  call columns%get('y', parts(:2), dims='column', units='1')
  if (any(abs(parts(:2) - counted(:2)) > 0.0_real64)) error stop 'numbers from 1'
  if (all(abs(parts(:2) - whole(:2)) <= 0.0_real64)) error stop 'the numbers do not matter'
  write (*, '(a)') 'chunks agree'
end program chunk
