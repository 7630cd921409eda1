!> A scheme of the host model that may be timed, recorded, held, or done by a closure.
module hybrid_scheme
  use, intrinsic :: iso_fortran_env, only: error_unit, int64, real64
  use hybrid, only: binding_t, closure_t
  use hybrid_exchange, only: columns_file_t, inputs_t, outputs_t
  implicit none(type, external)
  private

  public :: member_of_run, scheme_t

  character(len=*), parameter :: settings_file = 'hybrid_namelist'

  !> Settings and state; a scheme of the host extends it by its fields and its own computation.
  !>
  !> `mode`: 'native' computes the host's scheme; 'dump' also records every `stride`-th column at
  !> every `interval`-th step, if `varied` with other values of what the host holds constant;
  !> 'closure' computes the closure in its place; 'shadow' computes both, uses the host's and keeps
  !> the differences; 'ramp' goes from the host's at step `first` to the closure's at step `last`;
  !> 'noop' computes the host's once and holds it. With `every` = n the scheme is computed at every
  !> n-th step and held between. If `recorded`, other modes record what they are given and what they
  !> make of it, like 'dump'. Steps count from 0 in every run.
  type, abstract :: scheme_t
    character(len=16) :: name = ''
    character(len=8) :: mode = 'native'
    character(len=1024) :: archive = ''
    character(len=16) :: engine = 'auto'
    character(len=8) :: policy = 'flag'
    integer :: every = 1, first = 0, last = 0, interval = 37, stride = 1
    logical :: varied = .false., recorded = .false.
    integer :: n_step = 0
    real(real64) :: seconds_native = 0, seconds_closure = 0, seconds_held = 0, seconds_fallback = 0
    integer(int64) :: n_native = 0, n_closure = 0, n_held = 0, n_fallback = 0
    type(closure_t) :: closure
    type(binding_t) :: binding
    integer(int64) :: n_flagged = 0
    logical, allocatable :: is_flagged(:)
    type(columns_file_t) :: columns
  contains
    procedure :: start
    procedure :: step
    procedure :: report
    procedure :: vary
    procedure :: settle
    procedure(plain), deferred :: native
    procedure(chosen), deferred :: native_where
    procedure(plain), deferred :: hold
    procedure(plain), deferred :: recall
    procedure(plain), deferred :: complete
    procedure(exchanging), deferred :: inputs
    procedure(exchanging), deferred :: outputs
  end type scheme_t

  abstract interface
    !> Of the host's arrays: compute them (native), copy the results (hold), write the copy back
    !> (recall), compute what follows from the outputs (complete).
    subroutine plain(self)
      import :: scheme_t
      implicit none(type, external)
      class(scheme_t), intent(inout) :: self
    end subroutine plain

    !> Compute the host's arrays for the columns that are wanted, and for no more than need be.
    subroutine chosen(self, wanted)
      import :: scheme_t
      implicit none(type, external)
      class(scheme_t), intent(inout) :: self
      logical, intent(in) :: wanted(:)
    end subroutine chosen

    !> Hand over the fields, one after the other.
    subroutine exchanging(self, exchange)
      use hybrid_exchange, only: exchange_t
      import :: scheme_t
      implicit none(type, external)
      class(scheme_t), intent(inout) :: self
      class(exchange_t), intent(inout) :: exchange
    end subroutine exchanging
  end interface

contains

  !> Read the group of this scheme and prepare for `n_column` columns of process `rank`.
  subroutine start(self, name, n_column, rank)
    class(scheme_t), intent(inout) :: self
    character(len=*), intent(in) :: name
    integer, intent(in) :: n_column, rank
    integer :: i
    self%name = name
    allocate (self%is_flagged(n_column), source=.false.)
    call read_settings(self)
    if (self%recorded) call self%columns%open(name, rank, self%stride)
    if (.not. learned(self)) return
    call self%closure%load(trim(self%archive), engine=trim(self%engine))
    call self%binding%create(self%closure, n_column, policy=trim(self%policy))
    if (self%mode == 'closure') return
    do i = 1, self%closure%field_count('outputs')
      if (self%mode == 'shadow') call self%binding%shadow(self%closure%field_name('outputs', i))
      if (self%mode == 'ramp') then
        call self%binding%ramp(self%closure%field_name('outputs', i), 0.0_real64, 1.0_real64, &
                               self%first, self%last)
      end if
    end do
  end subroutine start

  subroutine read_settings(self)
    class(scheme_t), intent(inout) :: self
    character(len=16) :: scheme, engine
    character(len=8) :: mode, policy
    character(len=1024) :: archive
    character(len=200) :: message
    integer :: every, first, last, interval, stride, unit, status
    logical :: varied, recorded
    namelist /scheme_nl/ scheme, mode, archive, engine, policy, every, first, last, interval, &
      stride, varied, recorded
    open (newunit=unit, file=settings_file, status='old', action='read', iostat=status, &
          iomsg=message)
    if (status /= 0) call stop_with(settings_file//': '//message)
    do
      scheme = ''
      mode = self%mode
      archive = self%archive
      engine = self%engine
      policy = self%policy
      every = self%every
      first = self%first
      last = self%last
      interval = self%interval
      stride = self%stride
      varied = self%varied
      recorded = self%recorded
      read (unit, nml=scheme_nl, iostat=status, iomsg=message)
      if (is_iostat_end(status)) exit
      if (status /= 0) call stop_with(settings_file//': '//message)
      if (scheme /= self%name) cycle
      self%mode = mode
      self%archive = archive
      self%engine = engine
      self%policy = policy
      self%every = every
      self%first = first
      self%last = last
      self%interval = interval
      self%stride = stride
      self%varied = varied .and. mode == 'dump'
      self%recorded = recorded .or. mode == 'dump'
    end do
    close (unit)
    if (all(self%mode /= [character(len=8) :: 'native', 'dump', 'closure', 'shadow', 'ramp', &
                          'noop'])) then
      call stop_with(settings_file//': expected mode native, dump, closure, shadow, ramp or '// &
                     'noop for '//trim(self%name)//', got '//self%mode)
    end if
    if (min(self%every, self%interval, self%stride) < 1) then
      call stop_with(settings_file//': expected every, interval and stride of at least 1 for '// &
                     trim(self%name))
    end if
  end subroutine read_settings

  !> Do what the mode says for one step of the model.
  subroutine step(self)
    class(scheme_t), intent(inout), target :: self
    logical :: is_due
    is_due = modulo(self%n_step, self%every) == 0
    if (self%mode == 'noop') is_due = self%n_step == 0
    if (is_due) then
      call compute(self)
      if (self%every > 1 .or. self%mode == 'noop') call self%hold()
    else
      self%seconds_held = self%seconds_held - now()
      call self%recall()
      self%seconds_held = self%seconds_held + now()
      self%n_held = self%n_held + 1
    end if
    self%n_step = self%n_step + 1
  end subroutine step

  subroutine compute(self)
    class(scheme_t), intent(inout), target :: self
    logical :: records
    records = self%recorded .and. modulo(self%n_step, self%interval) == 0
    if (records) then
      if (self%varied) call self%vary()
      call self%columns%record(self%n_step)
      call self%inputs(self%columns)
    end if
    if (learned(self)) call timed_inputs(self)
    if (self%mode /= 'closure') call timed_native(self)
    if (learned(self)) call timed_closure(self)
    if (.not. records) return
    call self%outputs(self%columns)
    call self%columns%complete()
    if (self%varied) call self%settle()
  end subroutine compute

  !> Before a record: change what the host holds constant, so that training sees more of it, or
  !> compute what else is recorded. Here nothing is done.
  subroutine vary(self)
    class(scheme_t), intent(inout) :: self
  end subroutine vary

  !> After a record: undo `vary`, with the results that the host goes on with.
  subroutine settle(self)
    class(scheme_t), intent(inout) :: self
  end subroutine settle

  subroutine timed_native(self)
    class(scheme_t), intent(inout) :: self
    self%seconds_native = self%seconds_native - now()
    call self%native()
    self%seconds_native = self%seconds_native + now()
    self%n_native = self%n_native + 1
  end subroutine timed_native

  !> The closure's inputs, copied before the host's scheme may change them.
  subroutine timed_inputs(self)
    class(scheme_t), intent(inout), target :: self
    type(inputs_t) :: inputs
    inputs%binding => self%binding
    self%seconds_closure = self%seconds_closure - now()
    call self%inputs(inputs)
    self%seconds_closure = self%seconds_closure + now()
  end subroutine timed_inputs

  subroutine timed_closure(self)
    class(scheme_t), intent(inout), target :: self
    type(outputs_t) :: outputs
    outputs%binding => self%binding
    self%seconds_closure = self%seconds_closure - now()
    call self%binding%apply(self%n_step)
    if (self%policy == 'host' .and. self%mode == 'closure') call fall_back(self)
    call self%outputs(outputs)
    call self%complete()
    call self%binding%commit()
    self%seconds_closure = self%seconds_closure + now()
    self%n_closure = self%n_closure + 1
    call self%binding%mask(self%is_flagged)
    self%n_flagged = self%n_flagged + count(self%is_flagged)
  end subroutine timed_closure

  !> Let the host compute the columns that the closure leaves to it; what its scheme makes of others
  !> on the way is overwritten afterwards.
  subroutine fall_back(self)
    class(scheme_t), intent(inout) :: self
    call self%binding%mask(self%is_flagged)
    if (.not. any(self%is_flagged)) return
    self%seconds_fallback = self%seconds_fallback - now()
    call self%native_where(self%is_flagged)
    self%seconds_fallback = self%seconds_fallback + now()
    self%n_fallback = self%n_fallback + count(self%is_flagged)
  end subroutine fall_back

  !> Write times [s], numbers of calls, for `fallback` of columns, and differences closure - host.
  subroutine report(self, unit)
    class(scheme_t), intent(in) :: self
    integer, intent(in) :: unit
    integer(int64), allocatable :: count(:)
    real(real64), allocatable :: mean(:), rms(:), largest(:)
    character(len=63) :: name
    integer :: i, k, n
    write (unit, '(a, 1x, a, i0, es14.6)') trim(self%name), 'native ', self%n_native, &
      self%seconds_native
    write (unit, '(a, 1x, a, i0, es14.6)') trim(self%name), 'closure ', self%n_closure, &
      self%seconds_closure
    write (unit, '(a, 1x, a, i0, es14.6)') trim(self%name), 'held ', self%n_held, &
      self%seconds_held
    if (.not. learned(self)) return
    write (unit, '(a, 1x, a, i0, es14.6)') trim(self%name), 'fallback ', self%n_fallback, &
      self%seconds_fallback
    write (unit, '(a, 1x, a, i0, es14.6)') trim(self%name), 'flagged ', &
      self%n_closure*size(self%is_flagged), real(self%n_flagged, real64)
    if (self%mode == 'closure') return
    do i = 1, self%closure%field_count('outputs')
      name = self%closure%field_name('outputs', i)
      n = self%closure%field_size(trim(name))
      allocate (count(n), mean(n), rms(n), largest(n))
      call self%binding%differences(trim(name), count, mean, rms, largest)
      do k = 1, n
        write (unit, '(a, 1x, a, 1x, i0, 3es14.6)') trim(self%name), trim(name), k, mean(k), &
          rms(k), largest(k)
      end do
      deallocate (count, mean, rms, largest)
    end do
  end subroutine report

  !> Number of the run in an ensemble, of group `run_nl`.
  integer function member_of_run() result(member)
    integer :: unit
    namelist /run_nl/ member
    member = 0
    open (newunit=unit, file=settings_file, status='old', action='read')
    read (unit, nml=run_nl)
    close (unit)
  end function member_of_run

  pure logical function learned(self)
    class(scheme_t), intent(in) :: self
    learned = any(self%mode == [character(len=8) :: 'closure', 'shadow', 'ramp'])
  end function learned

  !> Processor time, which other programs on the same cores do not lengthen [s].
  real(real64) function now()
    call cpu_time(now)
  end function now

  subroutine stop_with(message)
    character(len=*), intent(in) :: message
    write (error_unit, '(2a)') 'hybrid: ', trim(message)
    error stop 1
  end subroutine stop_with
end module hybrid_scheme
