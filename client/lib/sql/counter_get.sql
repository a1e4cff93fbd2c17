SELECT last, epoch FROM counter WHERE territory = ?1
