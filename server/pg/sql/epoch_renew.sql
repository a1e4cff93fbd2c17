UPDATE instance SET epoch_salt = gen_random_uuid()
