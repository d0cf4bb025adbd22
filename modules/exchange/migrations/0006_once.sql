-- Repeated requests are remembered by the kernel, for every module.
DROP TABLE exchange_once;
