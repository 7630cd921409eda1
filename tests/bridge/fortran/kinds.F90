!> Arrays that are refused at run time: 16-byte numbers, and ranks beyond those that fields have.
!> Argument: an archive with five levels. Prints `case|stat|message`.
program kinds
  use, intrinsic :: iso_fortran_env, only: real128, real64
  use hybrid, only: binding_t, closure_t
  implicit none (type, external)

  type(closure_t) :: closure
  type(binding_t) :: columns
  real(real128), target :: quad(6)
#ifndef HYBRID_NO_ASSUMED_RANK
  real(real64), target :: deepest(1, 1, 1, 1, 1, 1), scalar
#endif
  character(len=1024) :: archive
  character(len=500) :: errmsg
  integer :: stat

  call get_command_argument(1, archive)
  call closure%load(archive)
  call columns%create(closure, 6)
  quad = 9.0e4_real128
  call columns%bind('state_ps', quad, dims='column', units='Pa', stat=stat, errmsg=errmsg)
  call say('bind real128')
  call columns%put('state_ps', quad(::2), dims='column', units='Pa', stat=stat, errmsg=errmsg)
  call say('put real128')
  call columns%put('state_ps', 9.0e4_real64*[1, 1, 1, 1, 1, 1], dims='column', units='Pa')
  call columns%put('state_t', spread([250, 250, 250, 250, 250]*1.0_real64, 2, 6), &
                   dims='level,column', units='K')
  call columns%apply(1)
  call columns%get('precipitation', quad, dims='column', units='m/s', stat=stat, errmsg=errmsg)
  call say('get real128')
  if (any(abs(quad - 9.0e4_real128) > 0.0_real128)) error stop 'a refused array was written'
#ifndef HYBRID_NO_ASSUMED_RANK
  deepest = 1.0_real64
  scalar = 1.0_real64
  call columns%bind('state_ps', deepest, dims='a,b,c,d,e,f', units='Pa', stat=stat, errmsg=errmsg)
  call say('rank 6')
  call columns%put('state_ps', scalar, dims='', units='Pa', stat=stat, errmsg=errmsg)
  call say('rank 0')
#endif

contains

  subroutine say(label)
    character(len=*), intent(in) :: label
    write (*, '(a, "|", i0, "|", a)') label, stat, trim(errmsg)
  end subroutine say

end program kinds
